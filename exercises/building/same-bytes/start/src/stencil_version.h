/*
 * Purpose: the version of libstencil's interface, for the preprocessor.
 */
#ifndef STENCIL_VERSION_H
#define STENCIL_VERSION_H
#define STENCIL_INTERFACE 3
#endif
