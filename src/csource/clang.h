/* libclang, loaded when a C source is read: the library needs only its header to be built, and a
 * user who never reads C need not have it. Included by clang.c and reader.h alone. */
#ifndef CLANG_H
#define CLANG_H

#include "base/base.h"

#include <clang-c/Index.h>

/* Every function of libclang that is called, once. */
#define CLANG_FUNCTIONS(X)                                                                         \
    X(createIndex) X(disposeIndex) X(toggleCrashRecovery) X(parseTranslationUnit2FullArgv)         \
    X(disposeTranslationUnit) X(getTranslationUnitCursor) X(visitChildren) X(getNumDiagnostics)    \
    X(getDiagnostic) X(disposeDiagnostic) X(getDiagnosticSeverity) X(getDiagnosticSpelling)        \
    X(getDiagnosticLocation) X(getCString) X(disposeString) X(getExpansionLocation) X(getFileName) \
    X(getCursorLocation) X(getCursorExtent) X(getRangeStart) X(getRangeEnd) X(getFileContents)     \
    X(getFile) X(getCursorKind) X(getCursorKindSpelling) X(getCursorSpelling) X(getCursorType)     \
    X(getCursorReferenced) X(getCursorDefinition) X(getCanonicalCursor) X(equalCursors)            \
    X(hashCursor) X(Cursor_isNull) X(getCanonicalType) X(getTypeSpelling) X(getPointeeType)        \
    X(getArrayElementType) X(getArraySize) X(getTypeDeclaration) X(getEnumDeclIntegerType)         \
    X(getResultType) X(Type_getSizeOf) X(Type_visitFields) X(isConstQualifiedType)                 \
    X(isVolatileQualifiedType) X(isRestrictQualifiedType) X(isFunctionTypeVariadic)                \
    X(getEnumConstantDeclValue) X(Cursor_Evaluate) X(EvalResult_getKind)                           \
    X(EvalResult_getAsLongLong)                                                                    \
    X(EvalResult_getAsDouble) X(EvalResult_dispose) X(getCursorBinaryOperatorKind)                 \
    X(getCursorUnaryOperatorKind) X(Cursor_getNumArguments) X(Cursor_getArgument)                  \
    X(Cursor_getVarDeclInitializer) X(Cursor_getStorageClass) X(Cursor_isBitField)                 \
    X(getCursorLinkage) X(Location_isFromMainFile) X(tokenize) X(disposeTokens)                    \
    X(getTokenSpelling)                                                                            \
    X(getTokenLocation) X(getRange) X(getTokenKind) X(getUnqualifiedType)

struct clang {
    void *library;
#define CLANG_MEMBER(name) __typeof__(clang_##name) *name;
    CLANG_FUNCTIONS(CLANG_MEMBER)
#undef CLANG_MEMBER
};

bool clang_load(struct clang *c, wg_error *error);
void clang_unload(struct clang *c);

#endif
