import{$ as e,S as r,s as t}from"./shared-6ZODANVM.js";function n(){return t`<${r} title="Sessions, sagas"><${e} title="Nothing here yet" /><//>`}export{n as Page};
