import{L as r,U as e,q as t}from"./shared-GJHAA64M.js";function n(){return t`<${r} title="Sessions, sagas"><${e} title="Nothing here yet" /><//>`}export{n as Page};
