import{V as r,ea as e,s as t}from"./shared-6AXR43MS.js";function p(){return t`<${r} title="API"><${e} title="Nothing here yet" /><//>`}export{p as Page};
