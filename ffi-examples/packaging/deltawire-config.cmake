# find_package(deltawire CONFIG) gives two targets, of which a program links one:
#
#     deltawire::deltawire         the shared library
#     deltawire::deltawire-static  the static one
get_filename_component(_deltawire_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT TARGET deltawire::deltawire)
  add_library(deltawire::deltawire SHARED IMPORTED)
  set_target_properties(deltawire::deltawire PROPERTIES
    IMPORTED_LOCATION "${_deltawire_prefix}/lib/@SHARED@"
    IMPORTED_SONAME "@SONAME@"
    INTERFACE_INCLUDE_DIRECTORIES "${_deltawire_prefix}/include")

  add_library(deltawire::deltawire-static STATIC IMPORTED)
  set_target_properties(deltawire::deltawire-static PROPERTIES
    IMPORTED_LOCATION "${_deltawire_prefix}/lib/libdeltawire.a"
    INTERFACE_INCLUDE_DIRECTORIES "${_deltawire_prefix}/include"
    INTERFACE_LINK_LIBRARIES "@PRIVATE_LIST@")
endif()

unset(_deltawire_prefix)
