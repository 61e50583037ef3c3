import{G as b,H as x,Z as k,b as f,c as p,e as d,m,q as g,u as s}from"./shared-ALTKTIMD.js";var v=1e4;function y({title:t,note:n="",end:r=null,class:e="",children:a}){return s`<section class="card ${e}" aria-label=${t}>
    <header><h2>${t}</h2>${n&&s`<span class="muted note">${n}</span>`}${r&&s`<span class="end">${r}</span>`}</header>
    ${a}
  </section>`}function D({headline:t,isFact:n=!1,isCompact:r=!1,actions:e=null}){let a=n?"fact":`a-${t.state}`;return s`<div class="answer ${a} ${r?"compact":""}">
    ${!n&&s`<${k} state=${t.state} size=${r?14:16} />`}
    <span>${b(t.text)}</span>
    ${(t.links?.length>0||e)&&s`<span class="more">${t.links?.map(([i,o])=>s`<a class="btn" href=${m(o)}>${i}</a>`)}${e}</span>`}
    ${!r&&s`<${w} text=${x(t.text)} />`}
  </div>`}function w({text:t}){let[n,r]=f(""),e=d(0);return p(()=>{let a=Math.max(0,e.current+v-Date.now()),i=setTimeout(()=>(e.current=Date.now(),r(t)),a);return()=>clearTimeout(i)},[t]),s`<span class="sr" aria-live="polite">${n}</span>`}function N({label:t,items:n,chosen:r,choose:e,panel:a}){return s`<span class="tabs" role="tablist" aria-label=${t} onKeyDown=${o=>{let c={ArrowLeft:-1,ArrowRight:1}[o.key];if(!c)return;o.preventDefault();let $=n.findIndex(([l])=>l===r);e(n[($+c+n.length)%n.length][0]),o.currentTarget.children[($+c+n.length)%n.length].focus()}}>
    ${n.map(([o,c])=>s`<button type="button" role="tab" aria-selected=${String(o===r)} aria-controls=${a}
      tabindex=${o===r?0:-1} onClick=${()=>e(o)}>${c}</button>`)}
  </span>`}function O(t,n={},{every:r=0}={}){let[e,a]=f({path:t,data:null,problem:null,isLoading:!0}),i=d(null),o=`${t}?${JSON.stringify(n)}`,c=()=>{if(i.current?.abort(),t===null)return Promise.resolve();let l=i.current=new AbortController;return a(u=>({...u,path:t,isLoading:!0,data:u.path===t?u.data:null,problem:null})),g(t,n,{signal:l.signal}).then(u=>l.signal.aborted||a({path:t,data:u,problem:null,isLoading:!1}),u=>l.signal.aborted||a(h=>({...h,problem:u,isLoading:!1})))};p(()=>{c();let l=r&&setInterval(()=>document.hidden||c(),r*1e3);return()=>(clearInterval(l),i.current?.abort())},[o,r]);let $=l=>a(u=>({...u,data:typeof l=="function"?l(u.data):l}));return{...e,data:e.path===t?e.data:null,reload:c,set:$}}export{y as a,D as b,N as c,O as d};
