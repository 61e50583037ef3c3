import{U as r,da as e,s as t}from"./shared-IMFVXXVB.js";function n(){return t`<${r} title="Screens"><${e} title="Nothing here yet" /><//>`}export{n as Page};
