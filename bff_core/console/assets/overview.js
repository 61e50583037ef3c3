import{k as t,u as r,x as e}from"./shared-KD3PA737.js";function p(){return t`<${r} title="Overview"><${e} title="Nothing here yet" /><//>`}export{p as Page};
