import{U as r,da as e,s as t}from"./shared-7P4DV32Q.js";function p(){return t`<${r} title="Faults"><${e} title="Nothing here yet" /><//>`}export{p as Page};
