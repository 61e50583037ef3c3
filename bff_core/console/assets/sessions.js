import{V as r,ea as e,s as t}from"./shared-6AXR43MS.js";function n(){return t`<${r} title="Sessions, sagas"><${e} title="Nothing here yet" /><//>`}export{n as Page};
