import{k as t,u as r,x as o}from"./shared-KD3PA737.js";function p(){return t`<${r} title="Logs"><${o} title="Nothing here yet" /><//>`}export{p as Page};
