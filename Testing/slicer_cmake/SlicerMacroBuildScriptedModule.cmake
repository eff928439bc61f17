# Copies the listed files of a scripted module, and nothing else, into one flat folder that all modules share.
# Slicer's own generic tests, which WITH_GENERIC_TESTS asks for, need the application.

function(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(PARSE_ARGV 0 MY "WITH_GENERIC_TESTS" "NAME" "SCRIPTS;RESOURCES")
  if(MY_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "Unknown keywords given to slicerMacroBuildScriptedModule(): \"${MY_UNPARSED_ARGUMENTS}\"")
  endif()
  if(NOT MY_NAME)
    message(FATAL_ERROR "NAME is mandatory")
  endif()

  set(folder ${CMAKE_BINARY_DIR}/${Slicer_QTSCRIPTEDMODULES_LIB_DIR})
  set(copies)
  foreach(kind SCRIPTS RESOURCES)
    foreach(file IN LISTS MY_${kind})
      set(source ${CMAKE_CURRENT_SOURCE_DIR}/${file})
      if(NOT EXISTS ${source} OR IS_DIRECTORY ${source})
        message(FATAL_ERROR "slicerMacroBuildScriptedModule(${kind}) given nonexistent file or directory '${file}'")
      endif()
      add_custom_command(OUTPUT ${folder}/${file} DEPENDS ${source} COMMAND ${CMAKE_COMMAND} -E copy ${source} ${folder}/${file})
      list(APPEND copies ${folder}/${file})
    endforeach()
  endforeach()
  add_custom_target(Copy${MY_NAME}PythonFiles ALL DEPENDS ${copies})

  install(DIRECTORY ${folder}/ DESTINATION ${Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR} USE_SOURCE_PERMISSIONS)
endfunction()
