import{L as n,Y as m,d as u,e as p,g as i,q as f}from"./shared-7DSSYXHE.js";function d(r){return r.split(/(\*\*[^*]+\*\*|`[^`]+`)/).map(t=>t.startsWith("**")&&t.length>4?n`<b>${t.slice(2,-2)}</b>`:t.startsWith("`")&&t.length>2?n`<code>${t.slice(1,-1)}</code>`:t)}function b(r){return r.replace(/\*\*([^*]+)\*\*/g,"$1").replace(/`([^`]+)`/g,"$1")}var g=1e4;function y({title:r,note:t="",end:a=null,class:e="",children:o}){return n`<section class="card ${e}" aria-label=${r}>
    <header><h2>${r}</h2>${t&&n`<span class="muted note">${t}</span>`}${a&&n`<span class="end">${a}</span>`}</header>
    ${o}
  </section>`}function N({headline:r,isFact:t=!1,isCompact:a=!1,actions:e=null}){let o=t?"fact":`a-${r.state}`,$=r.links?.map(([s,l])=>n`<a class="btn" href=${f(l)}>${s}</a>`)??[];return n`<div class="answer ${o} ${a?"compact":""}">
    ${!t&&n`<${m} state=${r.state} size=${a?14:16} />`}
    <span>${d(r.text)}</span>
    ${($.length>0||e)&&n`<span class="more">${$}${e}</span>`}
    ${!a&&n`<${x} text=${b(r.text)} />`}
  </div>`}function x({text:r}){let[t,a]=u(""),e=i(0);return p(()=>{let o=Math.max(0,e.current+g-Date.now()),$=setTimeout(()=>(e.current=Date.now(),a(r)),o);return()=>clearTimeout($)},[r]),n`<span class="sr" aria-live="polite">${t}</span>`}function R({label:r,items:t,chosen:a,choose:e,panel:o}){return n`<span class="tabs" role="tablist" aria-label=${r} onKeyDown=${s=>{let l={ArrowLeft:-1,ArrowRight:1}[s.key];if(!l)return;s.preventDefault();let c=t.findIndex(([h])=>h===a);e(t[(c+l+t.length)%t.length][0]),s.currentTarget.children[(c+l+t.length)%t.length].focus()}}>
    ${t.map(([s,l])=>n`<button type="button" role="tab" aria-selected=${String(s===a)} aria-controls=${o}
      tabindex=${s===a?0:-1} onClick=${()=>e(s)}>${l}</button>`)}
  </span>`}export{d as a,b,y as c,N as d,R as e};
