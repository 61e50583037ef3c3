// The benchmark's screen on Go's standard library: a goroutine per service, one tuned transport,
// encoding/json both ways. Decoding into small structs is what trims the payloads.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const timeout = 2500 * time.Millisecond

type user struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

type order struct {
	ID     int     `json:"id"`
	Total  float64 `json:"total"`
	Status string  `json:"status"`
}

type recommendation struct {
	ID    int     `json:"id"`
	Title string  `json:"title"`
	Price float64 `json:"price"`
}

type screen struct {
	User            user             `json:"user"`
	Orders          []order          `json:"orders"`
	Recommendations []recommendation `json:"recommendations"`
}

type services struct {
	client                         *http.Client
	users, orders, recommendations string
}

// get decodes the answer of one service into target.
func (s *services) get(ctx context.Context, url string, target any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(target)
}

// compose asks the three services at once; the first failure cancels the others.
func (s *services) compose(parent context.Context, id string) (*screen, error) {
	ctx, cancel := context.WithTimeout(parent, timeout)
	defer cancel()
	var (
		answer  screen
		running sync.WaitGroup
		once    sync.Once
		failure error
	)
	part := func(url string, target any) {
		defer running.Done()
		if err := s.get(ctx, url, target); err != nil {
			once.Do(func() { failure = err; cancel() })
		}
	}
	running.Add(3)
	go part(s.users+"/users/"+id, &answer.User)
	go part(s.orders+"/orders/"+id, &answer.Orders)
	go part(s.recommendations+"/recommendations/"+id, &answer.Recommendations)
	running.Wait()
	return &answer, failure
}

func (s *services) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	id := strings.TrimPrefix(request.URL.Path, "/screen/")
	if _, err := strconv.Atoi(id); err != nil {
		http.NotFound(writer, request)
		return
	}
	answer, err := s.compose(request.Context(), id)
	if err != nil {
		http.Error(writer, err.Error(), http.StatusBadGateway)
		return
	}
	writer.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(writer).Encode(answer); err != nil {
		log.Print(err)
	}
}

func main() {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns = 0
	transport.MaxIdleConnsPerHost = 128
	transport.DisableCompression = true
	handler := &services{
		client:          &http.Client{Transport: transport},
		users:           os.Getenv("USERS_URL"),
		orders:          os.Getenv("ORDERS_URL"),
		recommendations: os.Getenv("RECOMMENDATIONS_URL"),
	}
	mux := http.NewServeMux()
	mux.Handle("/screen/", handler)
	server := &http.Server{
		Addr:              "127.0.0.1:" + os.Getenv("PORT"),
		Handler:           mux,
		ReadHeaderTimeout: timeout,
	}
	log.Fatal(server.ListenAndServe())
}
