import{L as r,U as e,q as t}from"./shared-GJHAA64M.js";function p(){return t`<${r} title="API"><${e} title="Nothing here yet" /><//>`}export{p as Page};
