// The benchmark's proxy on Go's standard library: httputil.ReverseProxy over one tuned transport.
package main

import (
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"time"
)

func main() {
	service, err := url.Parse(os.Getenv("FILES_URL"))
	if err != nil {
		log.Fatal(err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns = 0
	transport.MaxIdleConnsPerHost = 128
	transport.DisableCompression = true
	transport.ResponseHeaderTimeout = 2500 * time.Millisecond
	proxy := httputil.NewSingleHostReverseProxy(service)
	proxy.Transport = transport
	server := &http.Server{
		Addr:              "127.0.0.1:" + os.Getenv("PORT"),
		Handler:           proxy,
		ReadHeaderTimeout: 2500 * time.Millisecond,
	}
	log.Fatal(server.ListenAndServe())
}
