import{V as r,ea as e,s as t}from"./shared-7UNWI7PW.js";function p(){return t`<${r} title="Faults"><${e} title="Nothing here yet" /><//>`}export{p as Page};
