// golang.org/x/oauth2 and go-oidc as their documentation says.
package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"sort"
	"strconv"
	"strings"
	"time"

	oidc "github.com/coreos/go-oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

var (
	issuer, id, secret, redirect = os.Getenv("ISSUER"), os.Getenv("CLIENT_ID"), os.Getenv("CLIENT_SECRET"), os.Getenv("REDIRECT_URI")
	flow, isWrong                = os.Args[1], os.Args[2] == "wrong"
)

// Go reads the clock past the C library; where the clock is said to be ahead, it is told so.
func now() time.Time {
	later, _ := strconv.Atoi(os.Getenv("LATER"))
	return time.Now().Add(time.Duration(later) * time.Second)
}

func must(err error) {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		var answer struct{ Error string }
		if json.Unmarshal(refused.Body, &answer) == nil && answer.Error != "" {
			fmt.Println("refused: " + answer.Error)
			os.Exit(0)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func random() string {
	bytes := make([]byte, 32)
	_, err := rand.Read(bytes)
	must(err)
	return base64.RawURLEncoding.EncodeToString(bytes)
}

func browse(to string) url.Values {
	said, err := exec.Command("python3", "agent.py", to, redirect).Output()
	must(err)
	end := strings.TrimSpace(string(said))
	if strings.HasPrefix(end, "page: ") {
		fmt.Println("refused: " + end)
		os.Exit(0)
	}
	back, err := url.Parse(end)
	must(err)
	return back.Query()
}

func told(name string, fields map[string]any) {
	names := []string{}
	for field := range fields {
		names = append(names, field)
	}
	sort.Strings(names)
	fmt.Printf("%s: %s\n", name, strings.Join(names, " "))
}

func login(ctx context.Context, provider *oidc.Provider, config *oauth2.Config) *oauth2.Token {
	state, nonce, verifier := random(), random(), random()
	challenge := sha256.Sum256([]byte(verifier))
	to := config.AuthCodeURL(state, oidc.Nonce(nonce),
		oauth2.SetAuthURLParam("code_challenge", base64.RawURLEncoding.EncodeToString(challenge[:])),
		oauth2.SetAuthURLParam("code_challenge_method", "S256"))
	back := browse(to)
	if back.Get("state") != state {
		must(errors.New("another state"))
	}
	if isWrong && flow == "code" {
		verifier = random()
	}
	token, err := config.Exchange(ctx, back.Get("code"), oauth2.SetAuthURLParam("code_verifier", verifier))
	must(err)
	raw, _ := token.Extra("id_token").(string)
	idToken, err := provider.Verifier(&oidc.Config{ClientID: id, Now: now}).Verify(ctx, raw)
	must(err)
	if idToken.Nonce != nonce {
		must(errors.New("another nonce"))
	}
	claims := map[string]any{}
	must(idToken.Claims(&claims))
	told("claims", claims)
	return token
}

func userinfo(ctx context.Context, provider *oidc.Provider, token *oauth2.Token) {
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	must(err)
	claims := map[string]any{}
	must(info.Claims(&claims))
	told("userinfo", claims)
}

func main() {
	// SSL_CERT_FILE is Go's own; only the clock is ours.
	roots, err := x509.SystemCertPool()
	must(err)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, Time: now}
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{Transport: transport})
	provider, err := oidc.NewProvider(ctx, issuer)
	must(err)
	endpoint := provider.Endpoint()
	// Else it tries the other style after any error, a wrong verifier's too.
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	config := &oauth2.Config{
		ClientID: id, ClientSecret: secret, RedirectURL: redirect, Endpoint: endpoint,
		Scopes: []string{oidc.ScopeOpenID, "email"},
	}
	switch flow {
	case "code":
		userinfo(ctx, provider, login(ctx, provider, config))
	case "refresh":
		first := login(ctx, provider, config)
		again := func() (*oauth2.Token, error) {
			return config.TokenSource(ctx, &oauth2.Token{RefreshToken: first.RefreshToken}).Token()
		}
		fresh, err := again()
		must(err)
		if fresh.RefreshToken == first.RefreshToken {
			fmt.Println("refreshed: the same refresh token")
		} else {
			fmt.Println("refreshed: another refresh token")
		}
		userinfo(ctx, provider, fresh)
		if isWrong {
			_, err = again()
			must(err)
		}
	case "client_credentials":
		if isWrong {
			secret += "-not"
		}
		machine := clientcredentials.Config{ClientID: id, ClientSecret: secret, TokenURL: endpoint.TokenURL, AuthStyle: endpoint.AuthStyle}
		token, err := machine.Token(ctx)
		must(err)
		fmt.Println("token: " + token.TokenType)
	}
	fmt.Println("done")
}
