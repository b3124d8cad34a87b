// Discovery and a token with net/http.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"sort"
	"strings"
)

func ask(request *http.Request, err error) map[string]any {
	if err == nil {
		var answer *http.Response
		if answer, err = http.DefaultClient.Do(request); err == nil {
			defer answer.Body.Close()
			var fields map[string]any
			if err = json.NewDecoder(answer.Body).Decode(&fields); err == nil {
				return fields
			}
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
	return nil
}

func main() {
	server := os.Getenv("AS_URL")
	fmt.Println(len(ask(http.NewRequest("GET", server+"/.well-known/openid-configuration", nil))))
	request, err := http.NewRequest("POST", server+"/token", strings.NewReader("grant_type=client_credentials"))
	if err == nil {
		request.SetBasicAuth(os.Getenv("CLIENT_ID"), os.Getenv("CLIENT_SECRET"))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	names := []string{}
	for name := range ask(request, err) {
		names = append(names, name)
	}
	sort.Strings(names)
	fmt.Println(strings.Join(names, " "))
}
