/*
 * Purpose: room around every array from malloc or calloc, so that a program that goes beyond one does the same every
 *          time, and is told of when it frees the array.
 * Run:     mpicc -include room.h …
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROOM = 1 << 16, // bytes before and after
    MARK = 0x11     // what stands there
};

__attribute__((unused)) static void *roomy_malloc(size_t size) {
    char *block = malloc(size + 2 * ROOM);
    memset(block, MARK, size + 2 * ROOM);
    memcpy(block, &size, sizeof size);
    return block + ROOM;
}

__attribute__((unused)) static void *roomy_calloc(size_t number, size_t size) {
    return memset(roomy_malloc(number * size), 0, number * size);
}

__attribute__((unused)) static void roomy_free(void *array) {
    if (array == NULL)
        return;
    char *block = (char *)array - ROOM;
    size_t size;
    memcpy(&size, block, sizeof size);
    int touched = 0;
    for (size_t i = sizeof size; i < ROOM; i++)
        touched |= block[i] != MARK || block[i + ROOM - sizeof size + size] != MARK;
    if (touched)
        printf("room: written beyond an array of %zu bytes\n", size);
    free(block);
}

#define malloc roomy_malloc
#define calloc roomy_calloc
#define free roomy_free
