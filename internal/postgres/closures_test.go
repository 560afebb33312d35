package postgres_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// runners are the functions that may run their last argument several times.
var runners = []string{"postgres.Read", "postgres.InTx", "postgres.InTxReturning", "idempotency.InTx", "once.do"}

// What a function literal assigns to a variable outside itself, a second run finds: the
// page of a list that begins where the first try ended, the half of an earlier result.
func TestWhatMayRunTwiceAssignsNoVariableOutside(t *testing.T) {
	t.Parallel()
	files, checked := token.NewFileSet(), 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/gen/") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if literal := runTwice(n); literal != nil {
				checked++
				for _, assigned := range assignedOutside(literal) {
					t.Errorf("%s: %s", files.Position(assigned.Pos()), assigned.Name)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if checked < 30 {
		t.Errorf("only %d function literals were found", checked)
	}
}

func TestAssignmentsOutsideAreFound(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"x = 1; return nil":                                 "[x]",
		"x.y, z[1] = 1, 2; *p = 3; n++; return nil":         "[n p x z]",
		"x := 1; x = 2; var y int; y += x; return nil":      "[]",
		"for i, v := range all { v = i }; return nil":       "[]",
		"if x, err := f(); err != nil { x = 1 }; return x":  "[]",
		"tx = other; err = f(); return err":                 "[]",
		"group.Go(func() error { x, err = f(); return e })": "[x]",
	} {
		source := fmt.Sprintf("postgres.InTx(ctx, pool, func(tx pgx.Tx) (err error) { %s })", body)
		call, err := parser.ParseExpr(source)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, assigned := range assignedOutside(runTwice(call)) {
			names = append(names, assigned.Name)
		}
		slices.Sort(names)
		if got := fmt.Sprint(names); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}

// runTwice returns the function literal that a call of a runner is given, or nil.
func runTwice(n ast.Node) *ast.FuncLit {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return nil
	}
	function, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) == 0 {
		return nil
	}
	of, ok := function.X.(*ast.Ident)
	if !ok || !slices.Contains(runners, of.Name+"."+function.Sel.Name) {
		return nil
	}
	literal, _ := call.Args[len(call.Args)-1].(*ast.FuncLit)
	return literal
}

// assignedOutside returns the variables that a function literal assigns and does not
// declare. A variable that shadows another one counts as the literal's own.
func assignedOutside(literal *ast.FuncLit) (outside []*ast.Ident) {
	own := map[string]bool{"_": true}
	declare := func(names ...ast.Expr) {
		for _, name := range names {
			if id, ok := name.(*ast.Ident); ok {
				own[id.Name] = true
			}
		}
	}
	ast.Inspect(literal, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			for _, name := range n.Names {
				declare(name)
			}
		case *ast.ValueSpec:
			for _, name := range n.Names {
				declare(name)
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				declare(n.Lhs...)
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				declare(n.Key, n.Value)
			}
		}
		return true
	})
	ast.Inspect(literal, func(n ast.Node) bool {
		var assigned []ast.Expr
		switch n := n.(type) {
		case *ast.AssignStmt:
			assigned = n.Lhs
		case *ast.IncDecStmt:
			assigned = []ast.Expr{n.X}
		}
		for _, expression := range assigned {
			if variable := rootOf(expression); variable != nil && !own[variable.Name] {
				outside = append(outside, variable)
			}
		}
		return true
	})
	return outside
}

// rootOf returns the variable of x, x.y, x[1] and *x.
func rootOf(expression ast.Expr) *ast.Ident {
	switch e := expression.(type) {
	case *ast.Ident:
		return e
	case *ast.SelectorExpr:
		return rootOf(e.X)
	case *ast.IndexExpr:
		return rootOf(e.X)
	case *ast.StarExpr:
		return rootOf(e.X)
	case *ast.ParenExpr:
		return rootOf(e.X)
	}
	return nil
}
