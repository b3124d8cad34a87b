// Plays an exported cassette with go-vcr, as `govcr play DIRECTORY`: the token request must get its answer.
// Records a token request with it, as `govcr record FILE URL SECRET`.
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/dnaeon/go-vcr/recorder"
)

func main() {
	switch os.Args[1] {
	case "play":
		directory := os.Args[2]
		body, err := os.ReadFile(filepath.Join(directory, "body"))
		must(err)
		tape, err := recorder.NewAsMode(filepath.Join(directory, "login.go"), recorder.ModeReplaying, nil)
		must(err)
		answer := post(tape, "https://accounts.example.com/token", string(body))
		fmt.Println(answer.StatusCode)
		fmt.Println(answer.Header.Get("X-Request-Id"))
		_, err = io.Copy(os.Stdout, answer.Body)
		must(err)
	case "record":
		tape, err := recorder.NewAsMode(strings.TrimSuffix(os.Args[2], ".yaml"), recorder.ModeRecording, nil)
		must(err)
		form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"web"}, "client_secret": {os.Args[4]}}
		post(tape, os.Args[3], form.Encode())
		must(tape.Stop())
	}
}

func post(tape *recorder.Recorder, address, body string) *http.Response {
	client := http.Client{Transport: tape}
	answer, err := client.Post(address, "application/x-www-form-urlencoded", strings.NewReader(body))
	must(err)
	return answer
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
