import{W as r,da as o,u as t}from"./shared-ALTKTIMD.js";function p(){return t`<${r} title="Logs"><${o} title="Nothing here yet" /><//>`}export{p as Page};
