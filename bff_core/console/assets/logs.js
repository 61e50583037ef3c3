import{$ as o,S as r,s as t}from"./shared-6ZODANVM.js";function p(){return t`<${r} title="Logs"><${o} title="Nothing here yet" /><//>`}export{p as Page};
