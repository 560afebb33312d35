package server

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"eventbooking/gen/api"
	"eventbooking/internal/fault"
)

func TestContractAndCatalogueHaveTheSameCodes(t *testing.T) {
	t.Parallel()
	spec, err := api.GetSpec()
	if err != nil {
		t.Fatal(err)
	}
	var contract []string
	for _, code := range spec.Components.Schemas["ProblemCode"].Value.Enum {
		contract = append(contract, code.(string))
	}
	slices.Sort(contract)
	if catalogue := codeNames(); !slices.Equal(contract, catalogue) {
		t.Errorf("openapi.yaml has the codes\n%v, the catalogue\n%v", contract, catalogue)
	}
}

func codeNames() (names []string) {
	for _, code := range fault.Codes() {
		names = append(names, code.Name)
	}
	return names
}

func TestEveryCodeIsRaisedAndListedByAnOperation(t *testing.T) {
	t.Parallel()
	// The router raises it for paths, not for an operation.
	listed := map[string]bool{fault.MethodNotAllowed.Name: true}
	operations, err := loadOperations()
	if err != nil {
		t.Fatal(err)
	}
	for id, o := range operations {
		for _, name := range o.Extensions["x-problems"].([]any) {
			listed[name.(string)] = true
			if code := fault.Lookup(name.(string)); code == nil {
				t.Errorf("%s: x-problems names %v, which does not exist", id, name)
			}
		}
	}
	variables, raised := codeVariables(t), raisedVariables(t)
	for _, name := range codeNames() {
		if !listed[name] {
			t.Errorf("no operation lists %s in x-problems", name)
		}
		if !raised[variables[name]] {
			t.Errorf("nothing raises %s (fault.%s)", name, variables[name])
		}
	}
}

// codeVariables returns the names of the catalogue's variables by code.
func codeVariables(t *testing.T) map[string]string {
	file, err := parser.ParseFile(token.NewFileSet(), "../fault/catalogue.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	variables := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if call, ok := spec.Values[0].(*ast.CallExpr); ok && len(call.Args) > 1 {
			if name, ok := call.Args[1].(*ast.BasicLit); ok {
				variables[strings.Trim(name.Value, `"`)] = spec.Names[0].Name
			}
		}
		return true
	})
	return variables
}

// raisedVariables returns the variables that code outside of tests mentions.
// ValidationFailed is raised by fault.Invalid.
func raisedVariables(t *testing.T) map[string]bool {
	mention := regexp.MustCompile(`fault\.([A-Z]\w+)`)
	raised := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range mention.FindAllSubmatch(text, -1) {
			raised[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	raised["ValidationFailed"] = raised["Invalid"]
	return raised
}
