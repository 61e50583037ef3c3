import{U as r,da as e,s as t}from"./shared-IMFVXXVB.js";function n(){return t`<${r} title="Sessions, sagas"><${e} title="Nothing here yet" /><//>`}export{n as Page};
