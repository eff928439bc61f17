# What include(${Slicer_USE_FILE}) brings: the extension's name, the installed layout and the macros.

if(NOT EXTENSION_NAME)
  set(EXTENSION_NAME ${PROJECT_NAME})
endif()
if(EXTENSION_NAME MATCHES "^$|^Slicer$|^Project$")
  message(FATAL_ERROR "project(${PROJECT_NAME}): names no extension")
endif()

set(Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR ${Slicer_INSTALL_ROOT}${Slicer_QTSCRIPTEDMODULES_LIB_DIR})

option(BUILD_TESTING "Test the extension" ON)
if(BUILD_TESTING)
  enable_testing()
endif()

include(SlicerMacroBuildScriptedModule)
include(SlicerMacroPythonTesting)
