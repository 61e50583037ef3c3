import{$ as b,A as r,M as d,N as m,d as p,e as u,g as i,q as f}from"./shared-SYSYHON7.js";var g=1e4;function E({title:n,note:t="",end:a=null,class:e="",children:o}){return r`<section class="card ${e}" aria-label=${n}>
    <header><h2>${n}</h2>${t&&r`<span class="muted note">${t}</span>`}${a&&r`<span class="end">${a}</span>`}</header>
    ${o}
  </section>`}function T({headline:n,isFact:t=!1,isCompact:a=!1,actions:e=null}){let o=t?"fact":`a-${n.state}`;return r`<div class="answer ${o} ${a?"compact":""}">
    ${!t&&r`<${b} state=${n.state} size=${a?14:16} />`}
    <span>${d(n.text)}</span>
    ${(n.links?.length>0||e)&&r`<span class="more">${n.links?.map(([c,s])=>r`<a class="btn" href=${f(s)}>${c}</a>`)}${e}</span>`}
    ${!a&&r`<${k} text=${m(n.text)} />`}
  </div>`}function k({text:n}){let[t,a]=p(""),e=i(0);return u(()=>{let o=Math.max(0,e.current+g-Date.now()),c=setTimeout(()=>(e.current=Date.now(),a(n)),o);return()=>clearTimeout(c)},[n]),r`<span class="sr" aria-live="polite">${t}</span>`}function y({label:n,items:t,chosen:a,choose:e,panel:o}){return r`<span class="tabs" role="tablist" aria-label=${n} onKeyDown=${s=>{let l={ArrowLeft:-1,ArrowRight:1}[s.key];if(!l)return;s.preventDefault();let $=t.findIndex(([x])=>x===a);e(t[($+l+t.length)%t.length][0]),s.currentTarget.children[($+l+t.length)%t.length].focus()}}>
    ${t.map(([s,l])=>r`<button type="button" role="tab" aria-selected=${String(s===a)} aria-controls=${o}
      tabindex=${s===a?0:-1} onClick=${()=>e(s)}>${l}</button>`)}
  </span>`}export{E as a,T as b,y as c};
