# Packs the description of the extension with it, as the Extensions Manager reads it: a key and its value a line.

foreach(name EXTENSION_README_FILE EXTENSION_LICENSE_FILE)
  if(NOT EXISTS "${${name}}")
    message(FATAL_ERROR "error: ${name} points to an inexistent file: ${${name}}")
  endif()
endforeach()

set(description)
foreach(name DEPENDS HOMEPAGE CONTRIBUTORS CATEGORY ICONURL DESCRIPTION SCREENSHOTURLS)
  set(value "${EXTENSION_${name}}")
  if(name STREQUAL "DEPENDS")
    string(REPLACE ";" " " value "${value}")
  elseif(value MATCHES "[;\n]")
    # Slicer would pass it on without quotes and lose what follows the semicolon.
    message(FATAL_ERROR "EXTENSION_${name}: holds a semicolon or a line break; accepted is one line without")
  endif()
  string(TOLOWER ${name} key)
  string(APPEND description "${key} ${value}\n")
endforeach()

file(WRITE ${CMAKE_BINARY_DIR}/${EXTENSION_NAME}.s4ext "${description}")
install(FILES ${CMAKE_BINARY_DIR}/${EXTENSION_NAME}.s4ext DESTINATION ${Slicer_INSTALL_ROOT}${Slicer_SHARE_DIR})
