/* From libclang's types to those of tree.h: records with their fields, and arrays whose lengths are
 * computed where they are declared. */
#include "csource/reader.h"

struct ctype *tree_new_type(struct tree *t, enum ctype_kind kind) {
    struct ctype *type = tree_take(t, sizeof *type);
    if (type) {
        type->kind = kind;
        type->bytes = -1;
        type->text = type->plain = "";
        type->count = LENGTH_UNKNOWN;
    }
    return type;
}

struct fields {
    struct tree *t;
    struct record *record;
    size_t capacity;
};

static enum CXVisitorResult take_field(CXCursor cursor, CXClientData data) {
    struct fields *f = data;
    struct tree *t = f->t;
    if (f->record->count == f->capacity) {
        size_t capacity = f->capacity ? 2 * f->capacity : 8;
        struct field *more = tree_take(t, capacity * sizeof *more);
        if (!more) return CXVisit_Break;
        if (f->record->count)
            memcpy(more, f->record->field, f->record->count * sizeof *more);
        f->record->field = more;
        f->capacity = capacity;
    }
    struct field *field = &f->record->field[f->record->count++];
    field->name = tree_text(t, CL(t, getCursorSpelling)(cursor));
    field->type = tree_type(t, CL(t, getCursorType)(cursor));
    if (CL(t, Cursor_isBitField)(cursor)) f->record->refused = "a bit field";
    return field->type ? CXVisit_Continue : CXVisit_Break;
}

static const struct record *read_record(struct tree *t, CXType type) {
    CXCursor declared = CL(t, getCanonicalCursor)(CL(t, getTypeDeclaration)(type));
    CXCursor definition = CL(t, getCursorDefinition)(declared);
    uint64_t key = CL(t, hashCursor)(declared);
    for (size_t i = 0; i < t->record.count; i++)
        if (t->record.at[i]->key == key) return t->record.at[i];
    struct record *record = tree_take(t, sizeof *record);
    struct record **new = record ? VEC_PUSH(&t->allocator, &t->record) : NULL;
    if (!new) {
        fail_memory(t->error);
        return NULL;
    }
    *new = record;
    record->key = key;
    record->name = tree_text(t, CL(t, getTypeSpelling)(CL(t, getUnqualifiedType)(type)));
    record->spot = tree_spot(t, CL(t, getCursorLocation)(definition));
    if (CL(t, getCursorKind)(declared) == CXCursor_UnionDecl)
        record->refused = "a union";
    else if (CL(t, Cursor_isNull)(definition))
        record->refused = "a struct that is declared only";
    struct fields f = {t, record, 0};
    CL(t, Type_visitFields)(type, take_field, &f);
    return record;
}

static struct ctype *int_type(struct tree *t, unsigned bits, bool is_signed) {
    struct ctype *type = tree_new_type(t, TYPE_INT);
    if (type) {
        type->bits = (uint8_t)bits;
        type->is_signed = is_signed;
    }
    return type;
}

static struct ctype *whole_type(struct tree *t, CXType canonical) {
    unsigned bits = (unsigned)CL(t, Type_getSizeOf)(canonical) * 8;
    switch (canonical.kind) {
    case CXType_Bool: return tree_new_type(t, TYPE_BOOL);
    case CXType_Char_U: case CXType_UChar: case CXType_UShort: case CXType_UInt:
    case CXType_ULong: case CXType_ULongLong: return int_type(t, bits, false);
    case CXType_Char_S: case CXType_SChar: case CXType_Short: case CXType_Int:
    case CXType_Long: case CXType_LongLong: return int_type(t, bits, true);
    default: return NULL;
    }
}

const struct ctype *tree_type(struct tree *t, CXType given) {
    CXType c = CL(t, getCanonicalType)(given);
    struct ctype *type = NULL;
    if (++t->nesting > MAX_NESTING) {
        fail_with(t->error, WG_EOVERFLOW, "types nest more than %d deep", MAX_NESTING);
        return NULL;
    }
    switch (c.kind) {
    case CXType_Void: type = tree_new_type(t, TYPE_VOID); break;
    case CXType_Float: type = tree_new_type(t, TYPE_FLOAT); break;
    case CXType_Double: type = tree_new_type(t, TYPE_DOUBLE); break;
    case CXType_Pointer:
        if ((type = tree_new_type(t, TYPE_POINTER))) type->of = tree_type(t, CL(t, getPointeeType)(c));
        break;
    case CXType_ConstantArray: case CXType_IncompleteArray: case CXType_VariableArray:
        if ((type = tree_new_type(t, TYPE_ARRAY))) {
            type->of = tree_type(t, CL(t, getArrayElementType)(c));
            if (c.kind == CXType_ConstantArray) type->count = CL(t, getArraySize)(c);
        }
        break;
    case CXType_Record:
        if ((type = tree_new_type(t, TYPE_RECORD))) type->record = read_record(t, c);
        break;
    case CXType_Enum:
        type = whole_type(t, CL(t, getCanonicalType)(
                                 CL(t, getEnumDeclIntegerType)(CL(t, getTypeDeclaration)(c))));
        break;
    case CXType_FunctionProto: case CXType_FunctionNoProto:
        if ((type = tree_new_type(t, TYPE_FUNCTION))) type->of = tree_type(t, CL(t, getResultType)(c));
        break;
    default: type = whole_type(t, c);
    }
    t->nesting--;
    if (!type && !failed(t->error)) type = tree_new_type(t, TYPE_OTHER);
    if (!type) return NULL;
    type->is_const = CL(t, isConstQualifiedType)(c);
    type->is_volatile = CL(t, isVolatileQualifiedType)(c);
    type->is_restrict = CL(t, isRestrictQualifiedType)(c);
    type->bytes = c.kind == CXType_Invalid ? -1 : CL(t, Type_getSizeOf)(c);
    type->text = tree_text(t, CL(t, getTypeSpelling)(given));
    if (type->kind <= TYPE_DOUBLE && c.kind != CXType_Invalid)
        type->plain = tree_text(t, CL(t, getTypeSpelling)(CL(t, getUnqualifiedType)(c)));
    if (type->kind == TYPE_INT && c.kind == CXType_Enum)
        type->plain = type->is_signed ? "int" : "unsigned int";
    return type;
}

/* A copy of the type in which arrays of computed length have these lengths; the list is that of
 * libclang: of the innermost axis first. */
static const struct ctype *with_sizes(struct tree *t, const struct ctype *type, CXCursor **last) {
    if (!type || (type->kind != TYPE_ARRAY && type->kind != TYPE_POINTER)) return type;
    bool sized = type->kind == TYPE_ARRAY && type->count == LENGTH_UNKNOWN;
    struct node *size = NULL;
    if (sized && *last) size = tree_node(t, *--*last);
    else if (type->kind == TYPE_ARRAY && *last) --*last;
    const struct ctype *of = with_sizes(t, type->of, last);
    struct ctype *copy = tree_take(t, sizeof *copy);
    if (!copy) return NULL;
    *copy = *type;
    copy->of = of;
    copy->size = size;
    return copy;
}

/* The type of a variable or parameter with the lengths of its arrays. Its children are, before the
 * initial value, those that length: of all arrays whose brackets are not empty. */
const struct ctype *tree_declared_type(struct tree *t, CXCursor cursor) {
    const struct ctype *type = tree_type(t, CL(t, getCursorType)(cursor));
    size_t levels = 0, unknown = 0, sizes = 0;
    for (const struct ctype *e = type; e; e = e->of) {
        if (e->kind != TYPE_ARRAY && e->kind != TYPE_POINTER) break;
        levels += e->kind == TYPE_ARRAY;
        unknown += e->kind == TYPE_ARRAY && e->count == LENGTH_UNKNOWN;
    }
    if (!unknown) return type;
    struct children c = tree_children(t, cursor);
    CXCursor init = CL(t, Cursor_getVarDeclInitializer)(cursor);
    for (size_t i = 0; i < c.list.count; i++) {
        if (!CL(t, Cursor_isNull)(init) && CL(t, equalCursors)(c.list.at[i], init)) continue;
        enum CXCursorKind kind = CL(t, getCursorKind)(c.list.at[i]);
        if (kind >= CXCursor_FirstExpr && kind <= CXCursor_LastExpr)
            c.list.at[sizes++] = c.list.at[i];
    }
    /* x[] has no length of its own, and is the outermost. */
    CXCursor *last = c.list.at ? c.list.at + sizes : NULL;
    if (sizes && (sizes == levels || sizes + 1 == levels)) {
        if (sizes + 1 == levels) {
            const struct ctype *of = with_sizes(t, type->of, &last);
            struct ctype *copy = tree_take(t, sizeof *copy);
            if (copy) {
                *copy = *type;
                copy->of = of;
                type = copy;
            }
        } else {
            type = with_sizes(t, type, &last);
        }
    }
    tree_children_free(&c);
    return type;
}
