import{W as r,da as e,u as t}from"./shared-ALTKTIMD.js";function p(){return t`<${r} title="API"><${e} title="Nothing here yet" /><//>`}export{p as Page};
