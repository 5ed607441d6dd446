package config

import (
	"embed"
	"io/fs"
)

//go:embed all:sample
var sampleFiles embed.FS

// Sample is the configuration of the demonstration: a made-up administration whose servers stand on
// this machine. Its passwords are in the environment variable BUSTIA_PASSWORD.
func Sample() fs.FS {
	f, err := fs.Sub(sampleFiles, "sample")
	if err != nil { // the name is right above
		panic(err)
	}
	return f
}
