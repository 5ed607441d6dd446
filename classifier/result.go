package classifier

import "github.com/bustia/bustia/config"

// Input is what is known of one mail when it is judged.
type Input struct {
	Mailbox    string   // name
	From       string   // address
	Recipients []string // addresses
	Subject    string
	Text       string // the writer's own words
}

// Result is the judgement on one mail, each part with the reason for it.
type Result struct {
	Language       Language
	Type           Type
	Theme          Theme
	Organisational []string // ids on the second axis
	Ignore         string   // name of the rule by which the mail makes no case; "" = it does
	Why            []string // reasons for Organisational and Ignore
}

// Language is the language the mail is written in.
type Language struct {
	Code       config.Language // "" when not even a guess is possible, "other" when it is none of ours
	Confidence float64         // 0 to 1
}

// Type is what the mail asks for.
type Type struct {
	Value string
	Why   []string
}

// Theme is what the mail is about, or that this could not be told.
type Theme struct {
	Path       string      // "" when abstained
	Confidence float64     // 0 to 1
	Abstained  bool        // no confident match: a person must file it
	Candidates []Candidate // best first, at most three
	Why        []string
}

// Candidate is a theme that came into question.
type Candidate struct {
	Path       string
	Confidence float64
}
