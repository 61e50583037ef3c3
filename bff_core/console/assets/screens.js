import{V as r,ea as e,s as t}from"./shared-7UNWI7PW.js";function n(){return t`<${r} title="Screens"><${e} title="Nothing here yet" /><//>`}export{n as Page};
