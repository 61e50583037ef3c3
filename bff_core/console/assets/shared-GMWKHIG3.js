function r(n){try{return n?JSON.parse(n):void 0}catch{return}}function u(n){let e=r(n);return e===void 0?n:JSON.stringify(e,null,2)}export{r as a,u as b};
