import{i as e}from"./shared-WBFTK4YF.js";import{A as t,da as r}from"./shared-3KA7U3N4.js";function p(){return t`<${e} title="Requests"><${r} title="Nothing here yet" /><//>`}export{p as Page};
