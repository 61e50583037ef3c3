import{k as t,u as r,x as e}from"./shared-KD3PA737.js";function n(){return t`<${r} title="Screens"><${e} title="Nothing here yet" /><//>`}export{n as Page};
