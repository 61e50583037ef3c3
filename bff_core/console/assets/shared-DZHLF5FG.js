import{C as b,D as x,V as k,b as f,c as p,e as d,m,q as g,s}from"./shared-6ZODANVM.js";var v=1e4;function y({title:t,note:n="",end:r=null,class:e="",children:a}){return s`<section class="card ${e}" aria-label=${t}>
    <header><h2>${t}</h2>${n&&s`<span class="muted note">${n}</span>`}${r&&s`<span class="end">${r}</span>`}</header>
    ${a}
  </section>`}function D({headline:t,isFact:n=!1,isCompact:r=!1}){let e=n?"fact":`a-${t.state}`;return s`<div class="answer ${e} ${r?"compact":""}">
    ${!n&&s`<${k} state=${t.state} size=${r?14:16} />`}
    <span>${b(t.text)}</span>
    ${t.links?.length>0&&s`<span class="more">${t.links.map(([a,i])=>s`<a class="btn" href=${m(i)}>${a}</a>`)}</span>`}
    ${!r&&s`<${w} text=${x(t.text)} />`}
  </div>`}function w({text:t}){let[n,r]=f(""),e=d(0);return p(()=>{let a=Math.max(0,e.current+v-Date.now()),i=setTimeout(()=>(e.current=Date.now(),r(t)),a);return()=>clearTimeout(i)},[t]),s`<span class="sr" aria-live="polite">${n}</span>`}function N({label:t,items:n,chosen:r,choose:e,panel:a}){return s`<span class="tabs" role="tablist" aria-label=${t} onKeyDown=${c=>{let u={ArrowLeft:-1,ArrowRight:1}[c.key];if(!u)return;c.preventDefault();let $=n.findIndex(([o])=>o===r);e(n[($+u+n.length)%n.length][0]),c.currentTarget.children[($+u+n.length)%n.length].focus()}}>
    ${n.map(([c,u])=>s`<button type="button" role="tab" aria-selected=${String(c===r)} aria-controls=${a}
      tabindex=${c===r?0:-1} onClick=${()=>e(c)}>${u}</button>`)}
  </span>`}function O(t,n={},{every:r=0}={}){let[e,a]=f({path:t,data:null,problem:null,isLoading:!0}),i=d(null),c=`${t}?${JSON.stringify(n)}`,u=()=>{if(i.current?.abort(),t===null)return Promise.resolve();let o=i.current=new AbortController;return a(l=>({...l,path:t,isLoading:!0,data:l.path===t?l.data:null,problem:null})),g(t,n,{signal:o.signal}).then(l=>o.signal.aborted||a({path:t,data:l,problem:null,isLoading:!1}),l=>o.signal.aborted||a(h=>({...h,problem:l,isLoading:!1})))};p(()=>{u();let o=r&&setInterval(()=>document.hidden||u(),r*1e3);return()=>(clearInterval(o),i.current?.abort())},[c,r]);let $=o=>a(l=>({...l,data:typeof o=="function"?o(l.data):o}));return{...e,data:e.path===t?e.data:null,reload:u,set:$}}export{y as a,D as b,N as c,O as d};
