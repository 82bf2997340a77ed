# cmake -DINPUT=file -DOUTPUT=file.c -DNAME=name -P embed.cmake: the bytes of a file as `const unsigned char name[]` and
# `const size_t name_bytes`.
file(READ ${INPUT} hex HEX)
string(LENGTH "${hex}" digits)
math(EXPR bytes "${digits} / 2")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," rows "${hex}")
file(WRITE ${OUTPUT}
     "#include <stddef.h>\nextern const unsigned char ${NAME}[];\nextern const size_t ${NAME}_bytes;\n"
     "const unsigned char ${NAME}[] = {${rows}};\nconst size_t ${NAME}_bytes = ${bytes};\n")
