import{W as e,da as r,u as t}from"./shared-ALTKTIMD.js";function p(){return t`<${e} title="Requests"><${r} title="Nothing here yet" /><//>`}export{p as Page};
