import{L as r,U as o,q as t}from"./shared-GJHAA64M.js";function p(){return t`<${r} title="Logs"><${o} title="Nothing here yet" /><//>`}export{p as Page};
