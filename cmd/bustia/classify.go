package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/bustia/bustia/classifier"
	"github.com/bustia/bustia/config"
)

func classifyCommand(p program) *cobra.Command {
	var dir, box string
	c := &cobra.Command{
		Use:   "classify",
		Short: "Classify texts given as JSON lines",
		Long: `Reads JSON lines {"id", "subject", "text"} from standard input and prints for each
a JSON line {"id", "language", "type", "theme"}. A line that is no such object is
reported and does not stop the others; the exit status then is 1.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			cfg, err := p.loadConfig(dir)
			if err != nil {
				return err
			}
			if box == "" {
				box = cfg.Mailboxes[0].Name
			}
			if _, ok := cfg.Mailbox(box); !ok {
				return noMailbox(cfg, box)
			}
			return p.classify(cfg, box)
		},
	}
	c.Flags().StringVarP(&dir, "config", "c", "", "directory of the configuration (default: the sample)")
	c.Flags().StringVar(&box, "mailbox", "", "name of the mailbox they came to (default: the first)")
	return c
}

type classifyInput struct {
	ID      json.RawMessage `json:"id"`
	Subject string          `json:"subject"`
	Text    string          `json:"text"`
}

type classifyOutput struct {
	ID json.RawMessage `json:"id"`
	judgementJSON
}

func (p program) classify(cfg *config.Config, box string) error {
	judge := classifier.New(cfg)
	in := bufio.NewReader(p.In)
	out := bufio.NewWriter(p.Out)
	encode := json.NewEncoder(out)
	var failed error
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			var input classifyInput
			if err := json.Unmarshal(line, &input); err != nil {
				fmt.Fprintf(p.Err, "bustia: line %d: an object {\"id\", \"subject\", \"text\"} is needed: %v\n", n, err)
				failed = errSaid
			} else if err := encode.Encode(classifyOutput{input.ID, judgement(judge.Classify(classifier.Input{
				Mailbox: box, Subject: input.Subject, Text: input.Text}))}); err != nil {
				return err
			}
		}
		if err == io.EOF {
			if err := out.Flush(); err != nil {
				return err
			}
			return failed
		}
		if err != nil {
			return err
		}
	}
}
