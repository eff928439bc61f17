# What find_package(Slicer) brings: a stand-in for the part of Slicer 5.12's CMake that an extension of scripted modules uses.
# Names, argument names, messages and the installed layout are Slicer's; where it differs, it is stricter.

# Slicer compares the size of a pointer with its own, so the extension's project() must not switch the languages off.
get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
foreach(language C CXX)
  if(NOT language IN_LIST languages)
    message(FATAL_ERROR "project(): enables '${languages}'; Slicer needs C and CXX")
  endif()
endforeach()

set(Slicer_USE_FILE ${CMAKE_CURRENT_LIST_DIR}/UseSlicer.cmake)
set(Slicer_EXTENSION_GENERATE_CONFIG ${CMAKE_CURRENT_LIST_DIR}/SlicerExtensionGenerateConfig.cmake)
set(Slicer_EXTENSION_CPACK ${CMAKE_CURRENT_LIST_DIR}/SlicerExtensionCPack.cmake)
set(Slicer_LAUNCHER_EXECUTABLE Slicer)

set(Slicer_INSTALL_ROOT "")
set(Slicer_SHARE_DIR share/Slicer-5.12)
set(Slicer_QTSCRIPTEDMODULES_LIB_DIR lib/Slicer-5.12/qt-scripted-modules)

list(PREPEND CMAKE_MODULE_PATH ${CMAKE_CURRENT_LIST_DIR})
