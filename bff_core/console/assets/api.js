import{$ as e,S as r,s as t}from"./shared-6ZODANVM.js";function p(){return t`<${r} title="API"><${e} title="Nothing here yet" /><//>`}export{p as Page};
