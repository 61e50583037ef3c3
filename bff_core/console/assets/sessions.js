import{U as r,da as e,s as t}from"./shared-7P4DV32Q.js";function n(){return t`<${r} title="Sessions, sagas"><${e} title="Nothing here yet" /><//>`}export{n as Page};
