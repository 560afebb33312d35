//go:build unix

package mutant

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Edit replaces a piece of a function by source that does something wrong when
// the mutant is asked for: mutated(name) is true then. The piece is found by its
// syntax, so that names of locals, lines and comments may change.
type Edit struct {
	// Package is a directory of the module. Func is a function of it, or a method
	// with the type of its receiver: State.transition.
	Package, Func string
	// At is the piece; it must be there once.
	At Piece
	// New is the source that comes instead. In it,
	//
	//	$0           is the piece itself,
	//	$x and $y    are the operands of an operator, or what is indexed and its index,
	//	$recv $1 $2  are the receiver and the arguments of the call,
	//	$left1       is what is assigned to first, and so on,
	//	${Type}      is the receiver or the parameter of that type.
	New string
}

// Piece is a piece of syntax.
type Piece struct {
	what string
	// is says whether a node is the piece, and what is in it, by the names in New.
	is func(ast.Node) (parts map[string]ast.Node, found bool)
}

// Start is the beginning of a function's body. It is there once in each.
var Start = Piece{what: "its beginning"}

// Calling is the statement that calls a function, and mentions some names.
func Calling(name string, mentioning ...string) Piece {
	what := strings.Join(append([]string{"a statement that calls", name}, mentioning...), " ")
	return Piece{what, func(n ast.Node) (map[string]ast.Node, bool) {
		switch n.(type) {
		case *ast.ExprStmt, *ast.AssignStmt, *ast.ReturnStmt, *ast.DeferStmt:
		default:
			return nil, false
		}
		call := findCall(n, name)
		if call == nil || slices.ContainsFunc(mentioning, func(m string) bool { return !mentions(n, m) }) {
			return nil, false
		}
		parts := map[string]ast.Node{}
		if method, ok := call.Fun.(*ast.SelectorExpr); ok {
			parts["recv"] = method.X
		}
		for i, argument := range call.Args {
			parts[strconv.Itoa(i+1)] = argument
		}
		if assignment, ok := n.(*ast.AssignStmt); ok {
			for i, left := range assignment.Lhs {
				parts["left"+strconv.Itoa(i+1)] = left
			}
		}
		return parts, true
	}}
}

// Changing is the statement that changes a field with an operator: -=, ++.
func Changing(operator, field string) Piece {
	return Piece{fmt.Sprintf("a statement with %s on %s", operator, field), func(n ast.Node) (map[string]ast.Node, bool) {
		switch s := n.(type) {
		case *ast.AssignStmt:
			return nil, s.Tok.String() == operator && mentions(s.Lhs[0], field)
		case *ast.IncDecStmt:
			return nil, s.Tok.String() == operator && mentions(s.X, field)
		}
		return nil, false
	}}
}

// Operator is the expression with an operator between two operands, the first of
// which mentions a name.
func Operator(operator, mentioning string) Piece {
	return Piece{fmt.Sprintf("an expression with %s after %s", operator, mentioning), func(n ast.Node) (map[string]ast.Node, bool) {
		e, ok := n.(*ast.BinaryExpr)
		if !ok || e.Op.String() != operator || !mentions(e.X, mentioning) {
			return nil, false
		}
		return map[string]ast.Node{"x": e.X, "y": e.Y}, true
	}}
}

// Indexing is the expression that indexes a field.
func Indexing(field string) Piece {
	return Piece{"an index of " + field, func(n ast.Node) (map[string]ast.Node, bool) {
		e, ok := n.(*ast.IndexExpr)
		if !ok || !mentions(e.X, field) {
			return nil, false
		}
		return map[string]ast.Node{"x": e.X, "y": e.Index}, true
	}}
}

// Text is the string literal that contains a text.
func Text(containing string) Piece {
	return Piece{"a string with " + containing, func(n ast.Node) (map[string]ast.Node, bool) {
		literal, ok := n.(*ast.BasicLit)
		return nil, ok && literal.Kind == token.STRING && strings.Contains(literal.Value, containing)
	}}
}

// findCall is a call of a function in a statement, or nil.
func findCall(n ast.Node, name string) (found *ast.CallExpr) {
	ast.Inspect(n, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && nameOf(call.Fun) == name {
			found = call
		}
		return found == nil
	})
	return found
}

// nameOf is the last name of an expression: of a function, a type, a pointer to it.
func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.StarExpr:
		return nameOf(e.X)
	}
	return ""
}

func mentions(n ast.Node, name string) (found bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		found = found || ok && id.Name == name
		return !found
	})
	return found
}

// source is the files of a package, and what is to be replaced in them.
type source struct {
	dir   string
	files map[string][]byte
	trees map[string]*ast.File
	set   *token.FileSet
	// replacements are those of each file.
	replacements map[string][]replacement
}

// replacement is source for the bytes from one offset to another.
type replacement struct {
	from, to int
	text     string
}

// read parses a package, without its tests.
func read(root, dir string) (*source, error) {
	s := &source{dir: dir, files: map[string][]byte{}, trees: map[string]*ast.File{}, set: token.NewFileSet(), replacements: map[string][]replacement{}}
	names, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		base := filepath.Base(name)
		s.files[base] = text
		if s.trees[base], err = parser.ParseFile(s.set, base, text, parser.SkipObjectResolution); err != nil {
			return nil, err
		}
	}
	if len(s.files) == 0 {
		return nil, fmt.Errorf("there is no package %s: it has moved, change the mutants too", dir)
	}
	return s, nil
}

// apply finds the piece of an edit, and notes what comes instead.
func (s *source) apply(e Edit) error {
	file, function, err := s.find(e.Func)
	if err != nil {
		return err
	}
	from := s.offset(function.Body.Lbrace) + 1
	to, parts, end := from, map[string]ast.Node(nil), "\n"
	if e.At.is != nil {
		var node ast.Node
		if node, parts, err = e.piece(function); err != nil {
			return err
		}
		from, to, end = s.offset(node.Pos()), s.offset(node.End()), ""
	}
	text, err := s.fill(e.New, file, function, string(s.files[file][from:to]), parts)
	if err != nil {
		return err
	}
	for _, other := range s.replacements[file] {
		if from < other.to && other.from < to {
			return fmt.Errorf("%s of %s: another edit is at the same place", e.Func, s.dir)
		}
	}
	s.replacements[file] = append(s.replacements[file], replacement{from, to, end + text + end})
	return nil
}

// piece is the one in a function, with what is in it.
func (e Edit) piece(function *ast.FuncDecl) (node ast.Node, parts map[string]ast.Node, err error) {
	times := 0
	ast.Inspect(function.Body, func(n ast.Node) bool {
		if n == nil {
			return true
		}
		if in, found := e.At.is(n); found {
			node, parts = n, in
			times++
		}
		return true
	})
	if times != 1 {
		err = fmt.Errorf("%s of %s has %d times %s, where one was to be edited: the code has changed, change the mutant too",
			e.Func, e.Package, times, e.At.what)
	}
	return node, parts, err
}

// find is the function of a name, and its file.
func (s *source) find(name string) (file string, function *ast.FuncDecl, err error) {
	found := 0
	for base, tree := range s.trees {
		for _, d := range tree.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil && fullName(f) == name {
				file, function = base, f
				found++
			}
		}
	}
	if found != 1 {
		return "", nil, fmt.Errorf("%s has %d functions %s: the code has changed, change the mutant too", s.dir, found, name)
	}
	return file, function, nil
}

func fullName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	return nameOf(f.Recv.List[0].Type) + "." + f.Name.Name
}

func (s *source) offset(p token.Pos) int { return s.set.Position(p).Offset }

var placeholder = regexp.MustCompile(`\$(?:\{(\w+)\}|(\w+))`)

// fill puts the pieces of the source into an edit's own.
func (s *source) fill(text, file string, function *ast.FuncDecl, piece string, parts map[string]ast.Node) (string, error) {
	var missing []string
	filled := placeholder.ReplaceAllStringFunc(text, func(p string) string {
		name := placeholder.FindStringSubmatch(p)
		if name[2] == "0" {
			return piece
		}
		if n, ok := parts[name[2]]; ok {
			return string(s.files[file][s.offset(n.Pos()):s.offset(n.End())])
		}
		if parameter := parameterOf(function, name[1]); parameter != "" {
			return parameter
		}
		missing = append(missing, p)
		return p
	})
	if len(missing) > 0 {
		return "", fmt.Errorf("%s of %s has no %s: the code has changed, change the mutant too", fullName(function), s.dir, strings.Join(missing, ", "))
	}
	return filled, nil
}

// parameterOf is the receiver or the parameter of a type, if there is one.
func parameterOf(f *ast.FuncDecl, typeName string) string {
	fields := f.Type.Params.List
	if f.Recv != nil {
		fields = append(slices.Clone(f.Recv.List), fields...)
	}
	for _, field := range fields {
		if nameOf(field.Type) == typeName && len(field.Names) == 1 {
			return field.Names[0].Name
		}
	}
	return ""
}

// edited are the files that have changed, and the one with what the edits call, by
// their paths in the module.
func (s *source) edited() (map[string][]byte, error) {
	out := map[string][]byte{}
	var name string
	for file, all := range s.replacements {
		name = s.trees[file].Name.Name
		text := s.files[file]
		slices.SortFunc(all, func(a, b replacement) int { return cmp.Compare(b.from, a.from) })
		for _, r := range all {
			text = slices.Concat(text[:r.from], []byte(r.text), text[r.to:])
		}
		formatted, err := format.Source(text)
		if err != nil {
			return nil, fmt.Errorf("%s with its mistakes: %w", path.Join(s.dir, file), err)
		}
		out[path.Join(s.dir, file)] = formatted
	}
	out[path.Join(s.dir, "mutated.go")] = bytes.ReplaceAll([]byte(switchSource), []byte("PACKAGE"), []byte(name))
	return out, nil
}

// switchSource is what the edits call.
const switchSource = `package PACKAGE

import (
	"os"
	"strings"
)

var mutantName = os.Getenv("MUTANT")

func mutated(name string) bool { return mutantName == name }

// pick is the right value, or the wrong one.
func pick[T any](name string, wrong, right T) T {
	if mutated(name) {
		return wrong
	}
	return right
}

// respelled is a text, or the text with another part.
func respelled(name, text, part, wrong string) string {
	return pick(name, strings.Replace(text, part, wrong, 1), text)
}
`
