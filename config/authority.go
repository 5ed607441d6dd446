package config

import (
	"crypto/x509"
	"fmt"
	"os"
)

// CAs are the authorities the server's certificate is checked against: those in CAFile, or nil for
// the system's. The file was readable when the configuration was loaded; it may be gone since.
func (s Server) CAs() (*x509.CertPool, error) {
	if s.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read authority: no certificate in %s", s.CAFile)
	}
	return pool, nil
}
