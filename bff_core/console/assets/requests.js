import{k as t,u as e,x as r}from"./shared-KD3PA737.js";function p(){return t`<${e} title="Requests"><${r} title="Nothing here yet" /><//>`}export{p as Page};
