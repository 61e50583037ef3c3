import{$ as r,S as e,s as t}from"./shared-6ZODANVM.js";function p(){return t`<${e} title="Requests"><${r} title="Nothing here yet" /><//>`}export{p as Page};
