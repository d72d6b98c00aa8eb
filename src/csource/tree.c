/* From libclang's cursors to the tree of tree.h. A cursor is read once, when the function that it
 * stands in is asked for; declarations and records are found again by their canonical cursors, and
 * functions of other files by their names. Recursion follows the nesting of the text, and ends with
 * an error at MAX_NESTING. */
#include "csource/reader.h"

#include <errno.h>
#include <stdio.h>

/* ---- memory and text ------------------------------------------------------------------------- */

void *tree_take(struct tree *t, size_t size) {
    void *block = arena_alloc(&t->arena, size ? size : 1, sizeof(void *));
    if (block)
        memset(block, 0, size);
    else
        fail_memory(t->error);
    return block;
}

const char *tree_text(struct tree *t, CXString string) {
    const char *text = CL(t, getCString)(string);
    size_t size = text ? strlen(text) : 0;
    char *copy = tree_take(t, size + 1);
    if (copy && text) memcpy(copy, text, size);
    CL(t, disposeString)(string);
    return copy ? copy : "";
}

struct spot tree_spot(struct tree *t, CXSourceLocation location) {
    struct spot spot = {0};
    CXFile file = NULL;
    unsigned line = 0, column = 0, offset = 0;
    CL(t, getExpansionLocation)(location, &file, &line, &column, &offset);
    spot.line = line;
    spot.column = column;
    spot.file = file ? tree_text(t, CL(t, getFileName)(file)) : "";
    return spot;
}

static unsigned offset_of(struct tree *t, CXSourceLocation location) {
    CXFile file = NULL;
    unsigned line = 0, column = 0, offset = 0;
    CL(t, getExpansionLocation)(location, &file, &line, &column, &offset);
    return offset;
}

const char *tree_line(struct tree *t, const char *name, uint32_t number, size_t *length) {
    for (size_t i = 0; i < t->unit.count; i++) {
        CXFile file = CL(t, getFile)(t->unit.at[i].unit, name);
        size_t size = 0;
        const char *text = file ? CL(t, getFileContents)(t->unit.at[i].unit, file, &size) : NULL;
        if (!text) continue;
        size_t at = 0, end;
        for (uint32_t line = 1; line < number && at < size; at++) line += text[at] == '\n';
        for (end = at; end < size && text[end] != '\n' && text[end] != '\r';) end++;
        *length = end - at;
        return text + at;
    }
    return NULL;
}

void tree_caret(struct tree *t, struct spot spot, wg_error *error) {
    size_t length = 0, before = spot.column ? spot.column - 1 : 0, n = 0;
    if (!error || !spot.line || !t->unit.count) return;
    const char *text = tree_line(t, spot.file, spot.line, &length);
    if (!text || before > 60 || length > 160) return; /* a window would say little */
    char shown[161], caret[61];
    for (size_t k = 0; k < length; k++) {
        bool strange = (unsigned char)text[k] < ' ' && text[k] != '\t';
        shown[n++] = strange || text[k] == 0x7F ? '?' : text[k];
    }
    for (size_t k = 0; k < before; k++) caret[k] = k < n && shown[k] == '\t' ? '\t' : ' ';
    char rest[sizeof error->message] = "";
    char *first = strchr(error->message, '\n');
    if (first) {
        memcpy(rest, first, strlen(first) + 1);
        *first = 0;
    }
    fail_more(error, "\n    %.*s\n    %.*s^%s", (int)n, shown, (int)before, caret, rest);
}

static struct decl *read_decl(struct tree *t, CXCursor cursor);

/* ---- children -------------------------------------------------------------------------------- */

static enum CXChildVisitResult take_child(CXCursor cursor, CXCursor parent, CXClientData data) {
    struct children *c = data;
    (void)parent;
    enum CXCursorKind kind = CL(c->t, getCursorKind)(cursor);
    if (kind == CXCursor_TypeRef) return CXChildVisit_Continue;
    CXCursor *new = VEC_PUSH(&c->t->allocator, &c->list);
    if (!new) {
        c->failed = true;
        return CXChildVisit_Break;
    }
    *new = cursor;
    return CXChildVisit_Continue;
}

struct children tree_children(struct tree *t, CXCursor cursor) {
    struct children c = {.t = t};
    CL(t, visitChildren)(cursor, take_child, &c);
    if (c.failed) fail_memory(t->error);
    return c;
}

void tree_children_free(struct children *c) { VEC_FREE(&c->t->allocator, &c->list); }

/* ---- nodes ----------------------------------------------------------------------------------- */

static struct node *new_node(struct tree *t, CXCursor cursor, enum node_kind kind, size_t count) {
    struct node *n = tree_take(t, sizeof *n);
    if (!n) return NULL;
    n->kind = kind;
    n->spot = tree_spot(t, CL(t, getCursorLocation)(cursor));
    n->count = count;
    if (count) n->child = tree_take(t, count * sizeof *n->child);
    return count && !n->child ? NULL : n;
}

static struct node *refuse(struct tree *t, CXCursor cursor, const char *what) {
    struct node *n = new_node(t, cursor, NODE_REFUSED, 0);
    if (n) {
        n->text = what ? what
                       : tree_text(t, CL(t, getCursorKindSpelling)(CL(t, getCursorKind)(cursor)));
        n->type = tree_type(t, CL(t, getCursorType)(cursor));
    }
    return n;
}

/* The node with all these children. */
static struct node *with_children(struct tree *t, CXCursor cursor, enum node_kind kind,
                                  const CXCursor *list, size_t count) {
    struct node *n = new_node(t, cursor, kind, count);
    for (size_t i = 0; n && i < count; i++)
        if (!(n->child[i] = tree_node(t, list[i]))) return NULL;
    return n;
}

static struct node *constant_node(struct tree *t, CXCursor cursor) {
    CXEvalResult result = CL(t, Cursor_Evaluate)(cursor);
    if (!result) return NULL;
    CXEvalResultKind kind = CL(t, EvalResult_getKind)(result);
    struct node *n = NULL;
    if (kind == CXEval_Int || kind == CXEval_Float)
        n = new_node(t, cursor, kind == CXEval_Int ? NODE_INT : NODE_REAL, 0);
    if (n && kind == CXEval_Int) n->integer = CL(t, EvalResult_getAsLongLong)(result);
    if (n && kind == CXEval_Float) n->real = CL(t, EvalResult_getAsDouble)(result);
    CL(t, EvalResult_dispose)(result);
    return n;
}

static enum operator_kind binary_operator(enum CXBinaryOperatorKind kind) {
    static const enum operator_kind table[] = {
        [CXBinaryOperator_Mul] = C_MUL, [CXBinaryOperator_Div] = C_DIV,
        [CXBinaryOperator_Rem] = C_REM, [CXBinaryOperator_Add] = C_ADD,
        [CXBinaryOperator_Sub] = C_SUB, [CXBinaryOperator_Shl] = C_SHL,
        [CXBinaryOperator_Shr] = C_SHR, [CXBinaryOperator_LT] = C_LT, [CXBinaryOperator_GT] = C_GT,
        [CXBinaryOperator_LE] = C_LE, [CXBinaryOperator_GE] = C_GE, [CXBinaryOperator_EQ] = C_EQ,
        [CXBinaryOperator_NE] = C_NE, [CXBinaryOperator_And] = C_AND,
        [CXBinaryOperator_Xor] = C_XOR, [CXBinaryOperator_Or] = C_OR,
        [CXBinaryOperator_LAnd] = C_BOTH, [CXBinaryOperator_LOr] = C_EITHER,
        [CXBinaryOperator_Comma] = C_COMMA, [CXBinaryOperator_MulAssign] = C_MUL,
        [CXBinaryOperator_DivAssign] = C_DIV, [CXBinaryOperator_RemAssign] = C_REM,
        [CXBinaryOperator_AddAssign] = C_ADD, [CXBinaryOperator_SubAssign] = C_SUB,
        [CXBinaryOperator_ShlAssign] = C_SHL, [CXBinaryOperator_ShrAssign] = C_SHR,
        [CXBinaryOperator_AndAssign] = C_AND, [CXBinaryOperator_XorAssign] = C_XOR,
        [CXBinaryOperator_OrAssign] = C_OR};
    return (size_t)kind < COUNT_OF(table) ? table[kind] : C_NONE;
}

static enum operator_kind unary_operator(enum CXUnaryOperatorKind kind) {
    switch (kind) {
    case CXUnaryOperator_PostInc: return C_AFTER_INCREASE;
    case CXUnaryOperator_PostDec: return C_AFTER_DECREASE;
    case CXUnaryOperator_PreInc: return C_INCREASE;
    case CXUnaryOperator_PreDec: return C_DECREASE;
    case CXUnaryOperator_AddrOf: return C_ADDRESS;
    case CXUnaryOperator_Deref: return C_AT;
    case CXUnaryOperator_Plus: case CXUnaryOperator_Extension: return C_PLUS;
    case CXUnaryOperator_Minus: return C_MINUS;
    case CXUnaryOperator_Not: return C_FLIP;
    case CXUnaryOperator_LNot: return C_NOT;
    default: return C_NONE;
    }
}

static struct node *read_name(struct tree *t, CXCursor cursor) {
    CXCursor target = CL(t, getCursorReferenced)(cursor);
    if (CL(t, getCursorKind)(target) == CXCursor_EnumConstantDecl) {
        struct node *n = new_node(t, cursor, NODE_INT, 0);
        if (n) n->integer = CL(t, getEnumConstantDeclValue)(target);
        return n;
    }
    struct node *n = new_node(t, cursor, NODE_NAME, 0);
    if (n && !(n->decl = read_decl(t, target))) return failed(t->error) ? NULL : n;
    return n;
}

/* The function that is called, also in brackets. */
static CXCursor called(struct tree *t, CXCursor call) {
    CXCursor target = CL(t, getCursorReferenced)(call);
    for (int depth = 0; CL(t, Cursor_isNull)(target) && depth < 16; depth++) {
        struct children c = tree_children(t, call);
        bool any = c.list.count > 0;
        if (any) call = c.list.at[0];
        tree_children_free(&c);
        enum CXCursorKind kind = CL(t, getCursorKind)(call);
        if (kind == CXCursor_DeclRefExpr) target = CL(t, getCursorReferenced)(call);
        if (!any || (kind != CXCursor_ParenExpr && kind != CXCursor_UnexposedExpr)) break;
    }
    return target;
}

static struct node *read_call(struct tree *t, CXCursor cursor) {
    int count = CL(t, Cursor_getNumArguments)(cursor);
    struct node *n = new_node(t, cursor, NODE_CALL, count > 0 ? (size_t)count : 0);
    CXCursor target = called(t, cursor);
    for (int i = 0; n && i < count; i++)
        if (!(n->child[i] = tree_node(t, CL(t, Cursor_getArgument)(cursor, (unsigned)i))))
            return NULL;
    if (n && !CL(t, Cursor_isNull)(target) &&
        CL(t, getCursorKind)(target) == CXCursor_FunctionDecl)
        n->decl = read_decl(t, target);
    return n;
}

static bool has_token(struct tree *t, CXCursor cursor, const char *text) {
    bool found = false;
    for (size_t u = 0; u < t->unit.count && !found; u++) {
        CXToken *token = NULL;
        unsigned count = 0;
        CXTranslationUnit unit = t->unit.at[u].unit;
        CL(t, tokenize)(unit, CL(t, getCursorExtent)(cursor), &token, &count);
        for (unsigned i = 0; i < count && !found; i++) {
            CXString spelling = CL(t, getTokenSpelling)(unit, token[i]);
            found = strcmp(CL(t, getCString)(spelling), text) == 0;
            CL(t, disposeString)(spelling);
        }
        if (token) CL(t, disposeTokens)(unit, token, count);
    }
    return found;
}

/* .a = 1, [2] = 3, [2].a[1] = 4: the designators, then the value. */
static struct node *read_designated(struct tree *t, CXCursor cursor, const struct children *c) {
    size_t count = c->list.count;
    struct node *n = new_node(t, cursor, NODE_DESIGNATED, count);
    if (count > 2 && has_token(t, cursor, "...")) return refuse(t, cursor, "a range of elements");
    for (size_t i = 0; n && i < count; i++) {
        bool is_member = CL(t, getCursorKind)(c->list.at[i]) == CXCursor_MemberRef;
        n->child[i] = is_member ? new_node(t, c->list.at[i], NODE_MEMBER, 0)
                                : tree_node(t, c->list.at[i]);
        if (!n->child[i]) return NULL;
        if (is_member) n->child[i]->text = tree_text(t, CL(t, getCursorSpelling)(c->list.at[i]));
    }
    return n;
}

/* A conversion, or parentheses of a kind: what it is of, as its own type if that is another. */
static struct node *read_cast(struct tree *t, CXCursor cursor, const struct children *c) {
    const struct ctype *type = tree_type(t, CL(t, getCursorType)(cursor));
    if (!c->list.count) {
        struct node *n = constant_node(t, cursor);
        return n ? n : refuse(t, cursor, "this expression");
    }
    CXCursor last = c->list.at[c->list.count - 1];
    if (c->list.count >= 2 && type && type->kind == TYPE_VOID &&
        CL(t, getCursorKind)(cursor) == CXCursor_UnexposedExpr)
        return read_designated(t, cursor, c);
    if (CL(t, getCursorKind)(c->list.at[0]) == CXCursor_MemberRef) { /* offsetof */
        struct node *n = constant_node(t, cursor);
        return n ? n : refuse(t, cursor, "this expression");
    }
    bool explicit_one = CL(t, getCursorKind)(cursor) == CXCursor_CStyleCastExpr;
    if (c->list.count > 1 && !explicit_one) return refuse(t, cursor, "this expression");
    struct node *x = tree_node(t, last);
    if (!x || !type) return NULL;
    struct node *n = new_node(t, cursor, NODE_CAST, 1);
    if (n) n->child[0] = x;
    return n;
}

static struct node *read_declarations(struct tree *t, CXCursor cursor, const struct children *c) {
    struct node *n = new_node(t, cursor, NODE_DECLARE, 0);
    if (n) n->decls = tree_take(t, (c->list.count + 1) * sizeof *n->decls);
    if (!n || !n->decls) return NULL;
    for (size_t i = 0; i < c->list.count; i++) {
        if (CL(t, getCursorKind)(c->list.at[i]) != CXCursor_VarDecl) continue;
        if (!(n->decls[n->count] = read_decl(t, c->list.at[i]))) return NULL;
        n->count++;
    }
    return n;
}

/* Puts what a `for` has between its brackets in their places: clang leaves out what is absent, so
 * the semicolons decide. */
static struct node *read_for(struct tree *t, CXCursor cursor, const struct children *c) {
    struct node *n = new_node(t, cursor, NODE_FOR, 4);
    size_t parts = c->list.count - 1;
    if (!n || !c->list.count) return n;
    CXCursor body = c->list.at[parts];
    unsigned semicolon[2] = {0}, found = 0;
    if (parts < 3) {
        CXSourceRange range =
            CL(t, getRange)(CL(t, getCursorLocation)(cursor),
                            CL(t, getRangeStart)(CL(t, getCursorExtent)(body)));
        CXTranslationUnit unit = t->unit.at[0].unit;
        CXToken *token = NULL;
        unsigned count = 0;
        int depth = 0;
        for (size_t u = 0; u < t->unit.count && !count; u++) {
            unit = t->unit.at[u].unit;
            CL(t, tokenize)(unit, range, &token, &count);
        }
        for (unsigned i = 0; i < count; i++) {
            CXString text = CL(t, getTokenSpelling)(unit, token[i]);
            const char *s = CL(t, getCString)(text);
            if (strcmp(s, "(") == 0 || strcmp(s, "{") == 0) depth++;
            if (strcmp(s, ")") == 0 || strcmp(s, "}") == 0) depth--;
            if (strcmp(s, ";") == 0 && depth == 1 && found < 2)
                semicolon[found++] = offset_of(t, CL(t, getTokenLocation)(unit, token[i]));
            CL(t, disposeString)(text);
        }
        if (token) CL(t, disposeTokens)(unit, token, count);
        if (found < 2) return refuse(t, cursor, "a for of a macro that leaves out a part");
    }
    for (size_t i = 0; i < parts; i++) {
        size_t place = i;
        if (parts < 3) {
            unsigned at = offset_of(t, CL(t, getCursorLocation)(c->list.at[i]));
            place = (size_t)(at > semicolon[0]) + (size_t)(at > semicolon[1]);
        }
        if (place > 2 || !(n->child[place] = tree_node(t, c->list.at[i]))) return NULL;
    }
    n->child[3] = tree_node(t, body);
    return n->child[3] ? n : NULL;
}

static struct node *read_if(struct tree *t, CXCursor cursor, const struct children *c) {
    struct node *n = new_node(t, cursor, NODE_IF, 3);
    for (size_t i = 0; n && i < c->list.count && i < 3; i++)
        if (!(n->child[i] = tree_node(t, c->list.at[i]))) return NULL;
    return n;
}

static struct node *read_case(struct tree *t, CXCursor cursor, const struct children *c) {
    struct node *n = new_node(t, cursor, NODE_CASE, 3);
    size_t count = c->list.count;
    if (!n || count < 2) return n;
    n->child[0] = tree_node(t, c->list.at[0]);
    if (count > 2) n->child[1] = tree_node(t, c->list.at[1]);
    n->child[2] = tree_node(t, c->list.at[count - 1]);
    return n->child[0] && n->child[2] ? n : NULL;
}

static struct node *read_kind(struct tree *t, CXCursor cursor, const struct children *c) {
    enum CXCursorKind kind = CL(t, getCursorKind)(cursor);
    const CXCursor *list = c->list.at;
    size_t count = c->list.count;
    struct node *n;
    switch (kind) {
    case CXCursor_ParenExpr: return count ? tree_node(t, list[count - 1]) : NULL;
    case CXCursor_UnexposedExpr:
    case CXCursor_CStyleCastExpr: return read_cast(t, cursor, c);
    case CXCursor_IntegerLiteral: case CXCursor_CharacterLiteral: case CXCursor_FloatingLiteral:
    case CXCursor_UnaryExpr:
        n = constant_node(t, cursor);
        if (n) return n;
        return refuse(t, cursor, kind == CXCursor_UnaryExpr ? "sizeof what only a call knows"
                                                            : "this constant");
    case CXCursor_StringLiteral: return new_node(t, cursor, NODE_STRING, 0);
    case CXCursor_DeclRefExpr: return read_name(t, cursor);
    case CXCursor_CallExpr: return read_call(t, cursor);
    case CXCursor_MemberRefExpr:
        n = count ? with_children(t, cursor, NODE_MEMBER, list, 1)
                  : refuse(t, cursor, "a member of an anonymous struct");
        if (n && count) n->text = tree_text(t, CL(t, getCursorSpelling)(cursor));
        return n;
    case CXCursor_ArraySubscriptExpr: return with_children(t, cursor, NODE_INDEX, list, count);
    case CXCursor_UnaryOperator:
        n = with_children(t, cursor, NODE_UNARY, list, count);
        if (n) n->op = unary_operator(CL(t, getCursorUnaryOperatorKind)(cursor));
        return n && n->op == C_NONE ? refuse(t, cursor, "this operator") : n;
    case CXCursor_BinaryOperator:
    case CXCursor_CompoundAssignOperator: {
        enum CXBinaryOperatorKind op = CL(t, getCursorBinaryOperatorKind)(cursor);
        bool assigns = op >= CXBinaryOperator_Assign && op <= CXBinaryOperator_OrAssign;
        n = with_children(t, cursor, assigns ? NODE_ASSIGN : NODE_BINARY, list, count);
        if (n) n->op = binary_operator(op);
        return n && n->op == C_NONE && !assigns ? refuse(t, cursor, "this operator") : n;
    }
    case CXCursor_ConditionalOperator: return with_children(t, cursor, NODE_CHOICE, list, count);
    case CXCursor_InitListExpr: return with_children(t, cursor, NODE_INIT, list, count);
    case CXCursor_CompoundLiteralExpr:
        return with_children(t, cursor, NODE_LITERAL, list + (count ? count - 1 : 0), count > 0);
    case CXCursor_CompoundStmt: return with_children(t, cursor, NODE_BLOCK, list, count);
    case CXCursor_DeclStmt: return read_declarations(t, cursor, c);
    case CXCursor_IfStmt: return read_if(t, cursor, c);
    case CXCursor_ForStmt: return read_for(t, cursor, c);
    case CXCursor_WhileStmt: return with_children(t, cursor, NODE_WHILE, list, count);
    case CXCursor_DoStmt: return with_children(t, cursor, NODE_DO, list, count);
    case CXCursor_SwitchStmt: return with_children(t, cursor, NODE_SWITCH, list, count);
    case CXCursor_CaseStmt: return read_case(t, cursor, c);
    case CXCursor_DefaultStmt: return with_children(t, cursor, NODE_DEFAULT, list, count);
    case CXCursor_BreakStmt: return new_node(t, cursor, NODE_BREAK, 0);
    case CXCursor_ContinueStmt: return new_node(t, cursor, NODE_CONTINUE, 0);
    case CXCursor_ReturnStmt: return with_children(t, cursor, NODE_RETURN, list, count);
    case CXCursor_NullStmt: return new_node(t, cursor, NODE_EMPTY, 0);
    case CXCursor_GotoStmt: case CXCursor_IndirectGotoStmt: return refuse(t, cursor, "goto");
    case CXCursor_LabelStmt: /* a label that nobody goes to */
        return count ? tree_node(t, list[count - 1]) : new_node(t, cursor, NODE_EMPTY, 0);
    case CXCursor_StmtExpr: return refuse(t, cursor, "a statement as an expression");
    case CXCursor_AddrLabelExpr: return refuse(t, cursor, "the address of a label");
    case CXCursor_GCCAsmStmt: case CXCursor_MSAsmStmt: return refuse(t, cursor, "assembly code");
    default: return refuse(t, cursor, NULL);
    }
}

/* libclang gives a parameter that C turns into a pointer, and what is made of it (z + 1, c ? z :
 * w), the array's type that it was declared with. What is computed is never an array. */
static const struct ctype *value_type(struct tree *t, const struct node *n,
                                      const struct ctype *type) {
    bool is_computed = n->kind == NODE_BINARY || n->kind == NODE_CHOICE || n->kind == NODE_ASSIGN ||
                       n->kind == NODE_CALL || (n->kind == NODE_UNARY && n->op != C_AT);
    if (!is_computed || !type || type->kind != TYPE_ARRAY) return type;
    struct ctype *pointer = tree_new_type(t, TYPE_POINTER);
    if (!pointer) return NULL;
    pointer->of = type->of;
    pointer->bytes = 8;
    pointer->text = type->text;
    return pointer;
}

struct node *tree_node(struct tree *t, CXCursor cursor) {
    if (failed(t->error)) return NULL;
    if (++t->nesting > MAX_NESTING) {
        fail_with(t->error, WG_EOVERFLOW, "%s:%u: the text nests more than %d deep",
                  tree_spot(t, CL(t, getCursorLocation)(cursor)).file,
                  tree_spot(t, CL(t, getCursorLocation)(cursor)).line, MAX_NESTING);
        return NULL;
    }
    struct children c = tree_children(t, cursor);
    struct node *n = read_kind(t, cursor, &c);
    tree_children_free(&c);
    t->nesting--;
    if (n && !n->type)
        n->type = value_type(t, n, tree_type(t, CL(t, getCursorType)(cursor)));
    return failed(t->error) ? NULL : n;
}

/* ---- declarations ---------------------------------------------------------------------------- */

static struct known *find_known(struct tree *t, CXCursor canonical) {
    for (size_t i = 0; i < t->known.count; i++)
        if (CL(t, equalCursors)(t->known.at[i].cursor, canonical)) return &t->known.at[i];
    return NULL;
}

static bool read_parameters(struct tree *t, struct decl *f, CXCursor cursor) {
    int count = CL(t, Cursor_getNumArguments)(cursor);
    if (count <= 0) return true;
    f->parameter = tree_take(t, (size_t)count * sizeof *f->parameter);
    for (int i = 0; f->parameter && i < count; i++) {
        f->parameter[i] = read_decl(t, CL(t, Cursor_getArgument)(cursor, (unsigned)i));
        if (!f->parameter[i]) return false;
        f->parameter_count++;
    }
    return f->parameter != NULL;
}

static struct decl *read_decl(struct tree *t, CXCursor cursor) {
    enum CXCursorKind kind = CL(t, getCursorKind)(cursor);
    if (kind != CXCursor_VarDecl && kind != CXCursor_ParmDecl && kind != CXCursor_FunctionDecl)
        return NULL;
    CXCursor canonical = CL(t, getCanonicalCursor)(cursor);
    CXCursor definition = CL(t, getCursorDefinition)(cursor);
    if (kind == CXCursor_VarDecl && !CL(t, Cursor_isNull)(definition)) cursor = definition;
    if (kind == CXCursor_ParmDecl) canonical = cursor;
    struct known *known = find_known(t, canonical);
    if (known) return known->decl;
    struct decl *d = tree_take(t, sizeof *d);
    known = d ? VEC_PUSH(&t->allocator, &t->known) : NULL;
    if (!known) {
        fail_memory(t->error);
        return NULL;
    }
    d->reader = (uint32_t)(known - t->known.at);
    known->cursor = canonical;
    known->decl = d;
    d->kind = kind == CXCursor_VarDecl    ? DECL_VARIABLE
              : kind == CXCursor_ParmDecl ? DECL_PARAMETER
                                          : DECL_FUNCTION;
    d->name = tree_text(t, CL(t, getCursorSpelling)(cursor));
    d->spot = tree_spot(t, CL(t, getCursorLocation)(cursor));
    if (d->kind == DECL_FUNCTION) {
        CXType type = CL(t, getCursorType)(cursor);
        d->type = tree_type(t, type);
        d->is_variadic = CL(t, isFunctionTypeVariadic)(type);
        return d->type ? d : NULL;
    }
    d->is_static = CL(t, Cursor_getStorageClass)(cursor) == CX_SC_Static;
    d->is_global = CL(t, getCursorLinkage)(cursor) != CXLinkage_NoLinkage;
    d->is_elsewhere = d->kind == DECL_VARIABLE && CL(t, Cursor_isNull)(definition) &&
                      CL(t, Cursor_getStorageClass)(cursor) == CX_SC_Extern;
    d->type = tree_declared_type(t, cursor);
    CXCursor init = d->kind == DECL_VARIABLE ? CL(t, Cursor_getVarDeclInitializer)(cursor)
                                             : CL(t, getCanonicalCursor)(cursor);
    if (d->kind == DECL_VARIABLE && !CL(t, Cursor_isNull)(init)) d->init = tree_node(t, init);
    return d->type && !failed(t->error) ? d : NULL;
}

/* The definition of a function, in any of the files; those of rules come first. */
struct search {
    struct tree *t;
    const char *name;
    CXCursor found;
    bool is_found, own_only;
};

static enum CXChildVisitResult look_for(CXCursor cursor, CXCursor parent, CXClientData data) {
    struct search *s = data;
    struct tree *t = s->t;
    (void)parent;
    if (CL(t, getCursorKind)(cursor) != CXCursor_FunctionDecl) return CXChildVisit_Continue;
    if (!CL(t, equalCursors)(cursor, CL(t, getCursorDefinition)(cursor)))
        return CXChildVisit_Continue;
    CXString spelling = CL(t, getCursorSpelling)(cursor);
    bool same = strcmp(CL(t, getCString)(spelling), s->name) == 0;
    CL(t, disposeString)(spelling);
    if (!same) return CXChildVisit_Continue;
    s->found = cursor;
    s->is_found = true;
    return CXChildVisit_Break;
}

static bool find_definition(struct tree *t, const char *name, CXCursor *found) {
    for (int rules = 1; rules >= 0; rules--)
        for (size_t i = 0; i < t->unit.count; i++) {
            const char *only = t->unit.at[i].only;
            if (rules ? !only || strcmp(only, name) != 0 : only != NULL && i == 0) continue;
            struct search s = {.t = t, .name = name};
            CL(t, visitChildren)(CL(t, getTranslationUnitCursor)(t->unit.at[i].unit), look_for, &s);
            if (!s.is_found) continue;
            *found = s.found;
            return true;
        }
    return false;
}

bool tree_body(struct tree *t, struct decl *f) {
    wg_error error = {0};
    if (f->is_read) return true;
    f->is_read = true;
    t->error = &error;
    CXCursor definition;
    if (find_definition(t, f->name, &definition)) {
        read_parameters(t, f, definition);
        struct children c = tree_children(t, definition);
        if (c.list.count && !failed(t->error))
            f->body = tree_node(t, c.list.at[c.list.count - 1]);
        tree_children_free(&c);
    }
    t->error = NULL;
    return !failed(&error);
}

static enum CXChildVisitResult take_function(CXCursor cursor, CXCursor parent, CXClientData data) {
    struct tree *t = data;
    (void)parent;
    if (CL(t, getCursorKind)(cursor) != CXCursor_FunctionDecl ||
        !CL(t, Location_isFromMainFile)(CL(t, getCursorLocation)(cursor)) ||
        !CL(t, equalCursors)(cursor, CL(t, getCursorDefinition)(cursor)))
        return CXChildVisit_Continue;
    struct decl *d = read_decl(t, cursor);
    struct decl **new = d ? VEC_PUSH(&t->allocator, &t->own) : NULL;
    if (new)
        *new = d;
    else
        fail_memory(t->error);
    return new ? CXChildVisit_Continue : CXChildVisit_Break;
}

struct decl *tree_function(struct tree *t, const char *name, wg_error *error) {
    for (size_t i = t->main_functions; i-- > 0;)
        if (!name || strcmp(t->own.at[i]->name, name) == 0) return t->own.at[i];
    for (size_t i = 0; name && i < t->own.count; i++)
        if (strcmp(t->own.at[i]->name, name) == 0) return t->own.at[i];
    if (!name)
        fail_with(error, WG_ENAME, "%.256s: it defines no function", t->path);
    else
        fail_with(error, WG_ENAME, "%.256s: it defines no function '%.64s'", t->path, name);
    if (name && t->main_functions) {
        fail_more(error, "\n  hint: it defines");
        for (size_t i = 0; i < t->main_functions && i < 12; i++)
            fail_more(error, "%s %s", i ? "," : "", t->own.at[i]->name);
    }
    return NULL;
}

/* ---- parsing --------------------------------------------------------------------------------- */

static bool diagnose(struct tree *t, CXTranslationUnit unit, wg_error *error) {
    unsigned count = CL(t, getNumDiagnostics)(unit);
    for (unsigned i = 0; i < count && !failed(error); i++) {
        CXDiagnostic d = CL(t, getDiagnostic)(unit, i);
        if (CL(t, getDiagnosticSeverity)(d) >= CXDiagnostic_Error) {
            struct spot spot = tree_spot(t, CL(t, getDiagnosticLocation)(d));
            const char *what = tree_text(t, CL(t, getDiagnosticSpelling)(d));
            if (spot.line)
                fail_with(error, WG_ESYNTAX, "%s:%u:%u: %s", spot.file, spot.line, spot.column,
                          what);
            else
                fail_with(error, WG_ESYNTAX, "%s", what);
            tree_caret(t, spot, error);
        }
        CL(t, disposeDiagnostic)(d);
    }
    return !failed(error);
}

static bool parse(struct tree *t, const char *path, const char *only,
                  const wg_csource_options *o, const char *text, wg_error *error) {
    struct unit *unit = VEC_PUSH(&t->allocator, &t->unit);
    size_t flags = o->flag_count + 4;
    const char **flag = mem_alloc(&t->allocator, flags * sizeof *flag);
    size_t count = 0;
    if (!unit || !flag) {
        if (unit) t->unit.count--;
        if (flag) mem_free(&t->allocator, flag, flags * sizeof *flag);
        fail_memory(error);
        return false;
    }
    *unit = (struct unit){.only = only};
    flag[count++] = "clang";
    flag[count++] = "-ffp-contract=off";
    for (size_t i = 0; i < o->flag_count; i++) flag[count++] = o->flag[i];
    struct CXUnsavedFile unsaved = {path, text, o->text_size};
    enum CXErrorCode code = CL(t, parseTranslationUnit2FullArgv)(
        t->index, path, flag, (int)count, text ? &unsaved : NULL, text ? 1 : 0,
        CXTranslationUnit_None, &unit->unit);
    mem_free(&t->allocator, flag, flags * sizeof *flag);
    if (code != CXError_Success || !unit->unit) {
        t->unit.count--;
        fail_with(error, WG_EIO, "%.512s: cannot be read as C", path);
        return false;
    }
    return diagnose(t, unit->unit, error);
}

static bool is_there(const char *path, wg_error *error) {
    char room[128];
    errno = 0;
    FILE *file = fopen(path, "rb");
    if (file) {
        fclose(file);
        return true;
    }
    fail_with(error, WG_EIO, "%.512s: %s", path, system_reason(errno, room, sizeof room));
    return false;
}

struct tree *tree_read(const char *path, const wg_csource_options *o,
                       const wg_allocator *allocator, wg_error *error) {
    wg_allocator a = allocator_or_standard(allocator);
    struct tree *t = mem_alloc_zero(&a, sizeof *t);
    if (!t) {
        fail_memory(error);
        return NULL;
    }
    t->allocator = t->arena.allocator = a;
    t->path = path;
    bool good = clang_load(&t->c, error);
    if (good) {
        CL(t, toggleCrashRecovery)(0);
        t->index = CL(t, createIndex)(0, 0);
        good = (o->text || is_there(path, error)) && parse(t, path, NULL, o, o->text, error);
    }
    for (size_t i = 0; good && i < o->file_count; i++)
        good = is_there(o->file[i], error) && parse(t, o->file[i], NULL, o, NULL, error);
    for (size_t i = 0; good && i < o->rule_count; i++) {
        const char *equals = strchr(o->rule[i], '=');
        char *name = equals ? tree_take(t, (size_t)(equals - o->rule[i]) + 1) : NULL;
        if (!name) {
            fail_with(error, equals ? WG_ENOMEM : WG_EARGUMENT,
                      "a rule is name=file.c, not '%.64s'", o->rule[i]);
            good = false;
            break;
        }
        memcpy(name, o->rule[i], (size_t)(equals - o->rule[i]));
        good = is_there(equals + 1, error) && parse(t, equals + 1, name, o, NULL, error);
    }
    wg_error own = {0};
    t->error = &own;
    for (size_t i = 0; good && i < t->unit.count; i++) {
        if (!t->unit.at[i].only)
            CL(t, visitChildren)(CL(t, getTranslationUnitCursor)(t->unit.at[i].unit), take_function,
                                 t);
        if (i == 0) t->main_functions = t->own.count;
    }
    t->error = NULL;
    if (failed(&own)) {
        fail_as(error, &own);
        good = false;
    }
    if (good) return t;
    tree_free(t);
    return NULL;
}

void tree_free(struct tree *t) {
    if (!t) return;
    for (size_t i = 0; i < t->unit.count; i++)
        if (t->unit.at[i].unit) CL(t, disposeTranslationUnit)(t->unit.at[i].unit);
    if (t->index) CL(t, disposeIndex)(t->index);
    clang_unload(&t->c);
    VEC_FREE(&t->allocator, &t->unit);
    VEC_FREE(&t->allocator, &t->known);
    VEC_FREE(&t->allocator, &t->record);
    VEC_FREE(&t->allocator, &t->own);
    arena_free(&t->arena);
    wg_allocator a = t->allocator;
    mem_free(&a, t, sizeof *t);
}
