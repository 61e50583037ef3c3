// Reads dashboards by the model of Grafana: each unknown, missing or mistyped field is an error.
package main

import (
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	plugins.RegisterDefaultPlugins()
	for _, path := range os.Args[1:] {
		raw, err := os.ReadFile(path)
		if err != nil {
			fmt.Println(err)
			continue
		}
		found := dashboard.Dashboard{}
		// The error of a dashboard without mistakes is empty, but not nil.
		if err := found.UnmarshalJSONStrict(raw); err != nil && err.Error() != "" {
			fmt.Println(path, err)
		} else if err := found.Validate(); err != nil && err.Error() != "" {
			fmt.Println(path, err)
		}
	}
}
