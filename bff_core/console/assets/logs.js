import{i as r}from"./shared-WBFTK4YF.js";import{A as t,da as o}from"./shared-3KA7U3N4.js";function p(){return t`<${r} title="Logs"><${o} title="Nothing here yet" /><//>`}export{p as Page};
