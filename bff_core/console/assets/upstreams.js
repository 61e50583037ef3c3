import{U as r,da as e,s as t}from"./shared-IMFVXXVB.js";function p(){return t`<${r} title="Upstreams"><${e} title="Nothing here yet" /><//>`}export{p as Page};
