import{L as e,U as r,q as t}from"./shared-GJHAA64M.js";function p(){return t`<${e} title="Requests"><${r} title="Nothing here yet" /><//>`}export{p as Page};
