import{a as l}from"./shared-GEVBMRUQ.js";import{L as i,g as n,o,s as u}from"./shared-7DSSYXHE.js";var f=200;function h({label:t,placeholder:r}){let e=n(null),a=n(0);l({f:()=>e.current.focus()});let s=c=>{let p=c.target.value.trim();clearTimeout(a.current),a.current=setTimeout(()=>u({text:p}),f)};return i`<div class="find">
    <input ref=${e} type="text" placeholder=${r} aria-label=${t} defaultValue=${o.value.get("text")??""} onInput=${s} />
    <kbd aria-hidden="true">f</kbd></div>`}function v({name:t,others:r={}}){let e=o.value.get(t);return i`<button type="button" class="chip narrowed" aria-label=${`Remove the filter ${t} ${e}`} onClick=${()=>u({[t]:"",...r})}>
    <span class="muted">${t}</span> ${e} <span aria-hidden="true">×</span></button>`}export{h as a,v as b};
